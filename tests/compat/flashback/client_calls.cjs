// Makes every policy call of a build of Flashback's public client and prints what came of each, as JSON.
// Reads: the folder of the build, the address of a server, a key, and the ids of an organisation and places.
const [build, base, token, orgId, workspaceId, repoId] = process.argv.slice(2);
const { ApiClient, HttpError } = require(`${build}/dist/api/client.js`);

const client = new ApiClient(base);
client.setAuthToken(token);
const told = [];

async function call(name, ...sent) {
  try {
    const answer = await client[name](...sent);
    told.push({ name, answer });
    return answer;
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    told.push({ name, status: error.status, answer: error.data });
    return error.data;
  }
}

async function main() {
  await call("getPolicyViolations", { workspaceId });
  await call("getPolicyAlerts", { workspaceId });
  const content = "Never mention 'rival'.";
  const fields = { name: "Rivals", content, riskType: "HIGH", actionType: 2, orgId };
  const { policy } = await call("createPolicy", { ...fields, workspaceId, repoId: null });
  await call("createPolicy", { ...fields, riskType: "ODD" });
  await call("getPolicies", { orgId });
  await call("getPolicies", { orgId, workspaceId, repoId });
  await call("getPolicy", policy.id);
  await call("updatePolicy", policy.id, { riskType: "MEDIUM" });
  const query = {
    workspaceId, repoId, from: "2020-01-01", to: "2099-12-31", take: 10, skip: 0,
    llmType: ["OPENAI", "ANTHROPIC"], llmModel: ["m"], host: ["h"],
  };
  await call("getPolicyViolations", { ...query, policyId: policy.id, severity: ["MEDIUM"], block: true });
  await call("getPolicyViolationsByPolicyId", policy.id, {});
  await call("getPolicyAlerts", { ...query, policyId: policy.id });
  await call("getPolicyAlertsByPolicyId", policy.id, { take: 5 });
  await call("validatePolicies", { policies: [{ policy_uuid: policy.id, content }] });
  await call("recommendPolicies", { level: 0, uuid: orgId, prompt: "Keep personal data out of answers." });
  await call("getPolicyStats", { scope: "workspace", id: workspaceId, window: "24h" });
  await call("getPolicyTokenStats", { scope: "org", window: "7d" });
  await call("getPolicyBreakdown", "rules", { scope: "org", window: "24h", includeSeries: true });
  await call("deletePolicy", policy.id);
  await call("getPolicy", policy.id);
  await call("getUserProfile");
  await call("getWorkspaces");
  await call("getOrganizationUsers");
  await call("getOrganization", orgId);
  await call("getStorageRepos", workspaceId);
  console.log(JSON.stringify(told));
}

main();
