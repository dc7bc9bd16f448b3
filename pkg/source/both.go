package source

import (
	"fmt"
	"iter"
)

// Pair is an entry of two mappings: its key, and its value in each; absent where one has no such key.
type Pair struct{ Key, Old, Now Value }

// Both yields the entries of two mappings by key: those of the new one in its order, then those that are gone.
func Both(old, now Value) iter.Seq2[string, Pair] {
	return func(yield func(string, Pair) bool) {
		before := make(map[string]Value)
		for k, v := range old.Entries() {
			before[keyOf(k)] = v
		}
		seen := make(map[string]bool)
		for k, v := range now.Entries() {
			id := keyOf(k)
			seen[id] = true
			if !yield(k.Str(), Pair{k, before[id], v}) {
				return
			}
		}
		for k, v := range old.Entries() {
			if !seen[keyOf(k)] && !yield(k.Str(), Pair{k, v, Value{}}) {
				return
			}
		}
	}
}

// keyOf tells keys apart as the programs do: 1 and "1" are one.
func keyOf(k Value) string {
	if k.Kind() == Scalar {
		return "s" + k.Str()
	}
	return Meaning(k)
}

// Meaning is the same text for values that are equal, whatever their quotes and the order of their keys.
func Meaning(v Value) string { return fmt.Sprintf("%#v", v.Any()) }
