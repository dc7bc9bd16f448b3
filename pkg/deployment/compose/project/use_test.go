package project

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestUses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"$$X and $${Y}":                   "",
		"$X-${Y}":                         "$X(X) ${Y}(Y)",
		"${X:-a}b${X:-c}":                 "${X:-a}(X=a) ${X:-c}(X=c)",
		"${X:-${Y:-z}}":                   "${X:-${Y:-z}}(X=${Y:-z} Y=z)",
		"${X-a} ${Y+b} ${Z?c} ${W:?d}":    "${X-a}(X=a) ${Y+b}(Y=b) ${Z?c}(Z) ${W:?d}(W)",
		"${X:-{\"a\": {}}} ${}":           "${X:-{\"a\": {}}}(X={\"a\": {}}) ${()",
		"a${ b":                           "${()",
		"pa$word, $5 and ${X:-a}\n${Y:-b": "$word(word) ${X:-a}(X=a) ${()",
	} {
		var all []string
		for _, u := range Uses(text) {
			within := make(map[string]bool)
			for _, v := range u.Variables {
				if other := v.DefaultValue + v.PresenceValue; other != "" {
					v.Name += "=" + other
				}
				within[v.Name] = true
			}
			if u.Invalid() {
				within = nil
			}
			all = append(all, u.Text+"("+strings.Join(slices.Sorted(maps.Keys(within)), " ")+")")
		}
		if got := strings.Join(all, " "); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
