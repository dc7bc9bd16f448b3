package spec

import (
	"maps"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/regex"
)

// defaultRegistration is where a container that is told of its registration finds it, unless its files say so.
const defaultRegistration = "/registration.yaml"

// A Word stands in braces for a value of the stack: {server_name}. Begin and End are its bytes in the text.
type Word struct {
	Name       string
	Begin, End int
}

var braced = regex.Of(`\{[a-z][a-z0-9_]*\}`)

// WordsIn finds the words of a text. What stands in two braces is of another language, and so is what a dollar precedes.
func WordsIn(text string) []Word {
	var words []Word
	for _, at := range braced().FindAllStringIndex(text, -1) {
		before, after := text[:at[0]], text[at[1]:]
		if strings.HasSuffix(before, "{") || strings.HasSuffix(before, "$") || strings.HasPrefix(after, "}") {
			continue
		}
		words = append(words, Word{Name: text[at[0]+1 : at[1]-1], Begin: at[0], End: at[1]})
	}
	return words
}

// Fill puts values into the places of the words of a text.
func Fill(text string, value func(name string) string) string {
	var b strings.Builder
	done := 0
	for _, w := range WordsIn(text) {
		b.WriteString(text[done:w.Begin])
		b.WriteString(value(w.Name))
		done = w.End
	}
	b.WriteString(text[done:])
	return b.String()
}

// sole is the word that a text is, and nothing else; "" for any other text.
func sole(text string) string {
	if words := WordsIn(text); len(words) == 1 && words[0].End-words[0].Begin == len(text) {
		return words[0].Name
	}
	return ""
}

// Sole is the word of which a file of the container is made; "" where it is copied from one beside the spec.
func (n Named) Sole(inside string) string { return sole(n.Files[inside]) }

// Words are what the container may name: plain ones anywhere, secret ones in its files and its environment, where no list of
// processes shows them.
func (n Named) Words() (plain, secret []string) {
	plain = []string{"server_name", "homeserver", "public_homeserver"}
	if n.Appservice != nil {
		plain, secret = append(plain, "registration"), append(secret, "as_token", "hs_token")
	}
	if n.Database {
		plain, secret = append(plain, "database_host", "database_port", "database_name", "database_user"), append(secret, "database_password", "database_url")
	}
	if n.Redis {
		plain, secret = append(plain, "redis_host"), append(secret, "redis_password", "redis_url")
	}
	return plain, append(secret, slices.Sorted(maps.Keys(n.Secrets))...)
}

// RegistrationPath is where the container has its registration; "" where it is not handed one.
func (n Named) RegistrationPath() string {
	if n.Appservice == nil {
		return ""
	}
	for _, inside := range slices.Sorted(maps.Keys(n.Files)) {
		if n.Sole(inside) == "registration" {
			return inside
		}
	}
	texts := slices.Concat(n.Command, n.Entrypoint, n.Healthcheck)
	for _, text := range n.Environment {
		texts = append(texts, string(text))
	}
	if slices.ContainsFunc(texts, func(text string) bool {
		return slices.ContainsFunc(WordsIn(text), func(w Word) bool { return w.Name == "registration" })
	}) {
		return defaultRegistration
	}
	return ""
}

// RegistrationFile is where the rendered tree has the container's copy of its registration.
func (n Named) RegistrationFile() string { return n.FilePath(n.RegistrationPath()) }
