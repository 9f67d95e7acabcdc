"""An example of any type of the API, for its documentation: made from the type and words for its fields."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import inspect

Words = Mapping[str, Sequence[object]]


def example(kind: object, words: Words, whole: Mapping[str, object]) -> object:
    """Return an example of `kind`, as it goes over the wire.

    `words` are what a field of that name, or of `Type.name`, may hold: the first that fits is taken. `whole`
    are examples of whole types, by their names. A field that is left out at its default stays out
    unless there is a word.
    """
    return _Maker(words, whole).of(inspect.type_info(kind), "")


class _Maker:
    def __init__(self, words: Words, whole: Mapping[str, object]) -> None:
        self._words = words
        self._whole = whole

    def of(self, kind: inspect.Type, name: str) -> object:
        """Return an example of what a field called `name` holds."""
        if isinstance(kind, inspect.Metadata):
            return self.of(kind.type, name)
        if isinstance(kind, inspect.StructType):
            return self._struct(kind)
        if isinstance(kind, inspect.UnionType):
            return None if kind.includes_none else self.of(kind.types[0], name)
        if isinstance(kind, (inspect.ListType, inspect.VarTupleType)):
            return [self._field(kind.item_type, name)]
        if isinstance(kind, inspect.TupleType):
            return [self._field(each, name) for each in kind.item_types]
        if isinstance(kind, inspect.LiteralType):
            return kind.values[0]
        return _plain(kind, name)

    def _field(self, kind: inspect.Type, name: str) -> object:
        word = self._word(kind, name)
        return self.of(kind, name) if word is msgspec.UNSET else word

    def _struct(self, kind: inspect.StructType) -> object:
        if kind.cls.__name__ in self._whole:
            return self._whole[kind.cls.__name__]
        made: dict[str, object] = {} if kind.tag_field is None else {kind.tag_field: kind.tag}
        for each in kind.fields:
            names = (f"{kind.cls.__name__}.{each.encode_name}", each.encode_name)
            word = self._word(each.type, *names)
            if word is not msgspec.UNSET:
                made[each.encode_name] = word
            elif each.required or not kind.cls.__struct_config__.omit_defaults:
                default = each.default
                said = isinstance(default, str) and default
                made[each.encode_name] = default if said else self.of(each.type, each.encode_name)
        return made

    def _word(self, kind: inspect.Type, *names: str) -> object:
        """Return the first word for one of `names` that fits `kind`, UNSET when none does."""
        for name in names:
            for word in self._words.get(name, ()):
                if _fits(word, kind):
                    return word
        return msgspec.UNSET


def _fits(word: object, kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.UnionType):
        return any(_fits(word, each) for each in kind.types)
    if isinstance(kind, inspect.LiteralType):
        return word in kind.values
    if isinstance(kind, (inspect.ListType, inspect.VarTupleType)):
        return isinstance(word, list) and all(_fits(each, kind.item_type) for each in word)
    if isinstance(kind, inspect.DictType):
        return isinstance(word, dict)
    plain = {inspect.StrType: str, inspect.IntType: int, inspect.BoolType: bool, inspect.FloatType: float}
    return type(word) is plain.get(type(kind)) or (word is None and isinstance(kind, inspect.NoneType))


def _plain(kind: inspect.Type, name: str) -> object:
    if isinstance(kind, inspect.NoneType):
        return None
    if isinstance(kind, inspect.BoolType):
        return True
    if isinstance(kind, (inspect.IntType, inspect.FloatType)):
        return 1
    return name if isinstance(kind, inspect.StrType) else {}
