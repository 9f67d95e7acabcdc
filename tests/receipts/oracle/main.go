// Checks a signed checkpoint, an inclusion proof and a consistency proof with the Go project's own
// transparency-log packages. Reads one JSON object on standard input; exits 0 if everything holds, 1 otherwise.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type input struct {
	Key         string   `json:"key"`
	Old         string   `json:"old"`
	New         string   `json:"new"`
	Receipt     string   `json:"receipt"`
	Index       int64    `json:"index"`
	Inclusion   []string `json:"inclusion"`
	Consistency []string `json:"consistency"`
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func hash(text string) tlog.Hash {
	h, err := tlog.ParseHash(text)
	check(err)
	return h
}

func hashes(texts []string) []tlog.Hash {
	var all []tlog.Hash
	for _, text := range texts {
		all = append(all, hash(text))
	}
	return all
}

func open(text string, verifier note.Verifier) (int64, tlog.Hash) {
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		check(fmt.Errorf("another origin: %s", lines[0]))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	var h tlog.Hash
	copy(h[:], root)
	return size, h
}

func main() {
	var in input
	check(json.NewDecoder(os.Stdin).Decode(&in))
	verifier, err := note.NewVerifier(in.Key)
	check(err)
	oldSize, oldRoot := open(in.Old, verifier)
	size, root := open(in.New, verifier)
	check(tlog.CheckRecord(hashes(in.Inclusion), size, root, in.Index, tlog.RecordHash([]byte(in.Receipt))))
	check(tlog.CheckTree(hashes(in.Consistency), size, root, oldSize, oldRoot))
}
