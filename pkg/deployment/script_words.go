package deployment

import (
	"path"
	"strings"
)

// shellWord is one word of a command; into says that its output goes there.
type shellWord struct {
	text string
	into bool
}

// hereDocument is a text of several lines that a command reads: those behind it, up to the one that is End alone.
type hereDocument struct {
	End   string
	Blank bool // End may have tabs before it
	Shell bool // what it says is run
}

// The words that stand for a subshell: what is done in it changes no directory outside.
const (
	subshell    = "("
	endSubshell = ")"
)

// commands takes a line apart: into commands, and those into words without their quotes. What runs within a word, $(…), is a
// command of its own, and stays in the word as it is written.
func commands(line string) (list [][]shellWord, docs []hereDocument) {
	return commandsIn([]rune(line), 0)
}

// maxNested is how deep commands within commands are looked at.
const maxNested = 8

func commandsIn(runes []rune, deep int) (list [][]shellWord, docs []hereDocument) {
	var words []shellWord
	var b strings.Builder
	quote, into, within := rune(0), false, len(docs)
	word := func() {
		if b.Len() > 0 {
			words = append(words, shellWord{b.String(), into})
			into = false
		}
		b.Reset()
	}
	end := func() {
		word()
		for i := within; i < len(docs); i++ {
			docs[i].Shell = runs(words)
		}
		if within = len(docs); len(words) > 0 {
			list = append(list, words)
		}
		words, into = nil, false
	}
	nested := func(text string) {
		inner, more := commandsIn([]rune(text), deep+1)
		list = append(append(append(list, []shellWord{{text: subshell}}), inner...), []shellWord{{text: endSubshell}})
		docs = append(docs, more...)
		within = len(docs)
	}
	next := func(i int, text string) bool { return strings.HasPrefix(string(runes[i:min(len(runes), i+3)]), text) }
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case quote != '\'' && (r == '`' || next(i, "$(")) && deep < maxNested:
			inner, length := substituted(runes[i:])
			if !strings.HasPrefix(inner, "(") { // arithmetic
				nested(inner)
			}
			b.WriteString("$(" + inner + ")")
			i += length - 1
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		case quote != 0:
			b.WriteRune(r)
		case r == '\\' && i+1 < len(runes): // \( of find is a word
			i++
			b.WriteRune(runes[i])
		case r == ' ' || r == '\t':
			word()
		case r == '>':
			if text := b.String(); text != "" && strings.Trim(text, "0123456789&") == "" {
				b.Reset() // the number of what goes there
			}
			word()
			into = true
		case next(i, "<<<"):
			word()
			i += 2
		case next(i, "<<"):
			word()
			rest := string(runes[i:min(len(runes), i+maxEnd)])
			doc, length := hereDocumentOf(rest)
			if doc.End != "" {
				docs = append(docs, doc)
			}
			i += len([]rune(rest[:length])) - 1
		case r == '<':
			word()
		case r == '(' || r == ')':
			end()
			list = append(list, []shellWord{{text: string(r)}})
		case r == ';' || r == '|' || r == '&':
			if into && b.Len() == 0 {
				into = r == '|' // >| writes, >&2 does not
				continue
			}
			end()
		default:
			b.WriteRune(r)
		}
	}
	end()
	return list, docs
}

// substituted is the command that stands at the beginning of a text, as $(…) or between backticks, and how long that is.
func substituted(text []rune) (inner string, length int) {
	if text[0] == '`' {
		for i := 1; i < len(text); i++ {
			if text[i] == '`' {
				return string(text[1:i]), i + 1
			}
		}
		return string(text[1:]), len(text)
	}
	deep := 0
	for i, r := range text {
		switch r {
		case '(':
			deep++
		case ')':
			if deep--; deep == 0 {
				return string(text[2:i]), i + 1
			}
		}
	}
	return string(text[2:]), len(text)
}

// maxEnd is how long the word is at most that ends a here-document.
const maxEnd = 100

// hereDocumentOf reads << and the word behind it, and how many bytes they have.
func hereDocumentOf(text string) (doc hereDocument, length int) {
	rest := text[2:]
	if after, ok := strings.CutPrefix(rest, "-"); ok {
		doc.Blank, rest = true, after
	}
	rest = strings.TrimLeft(rest, " \t")
	name := strings.TrimLeft(rest, `"'\`)
	if i := strings.IndexFunc(name, func(r rune) bool { return !isName(string(r)) }); i >= 0 {
		name = name[:i]
	}
	doc.End = name
	rest = strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(rest, `"'\`), name), `"'`)
	return doc, len(text) - len(rest)
}

// runs reports whether a command runs what it reads, here or on another machine, or makes a script of it.
func runs(words []shellWord) bool {
	for _, w := range words {
		switch path.Base(w.text) {
		case "sh", "bash", "zsh", "dash", "ssh", "python", "python3":
			return true
		}
		if w.into && path.Ext(w.text) == ".sh" {
			return true
		}
	}
	return false
}

// base is where a script begins: the directory that it lies in, or that it is called in.
const base = "\x00"

// placed puts into a word what the commands within it give, as far as that is known: the directory that the script is in, or lies in.
func placed(word, cwd string) string {
	for _, ours := range []string{"${0%/*}", "${BASH_SOURCE%/*}", "${BASH_SOURCE[0]%/*}"} {
		word = strings.ReplaceAll(word, ours, base)
	}
	here := cwd
	if !absolute(cwd) {
		here = path.Join(base, cwd)
	}
	word = strings.ReplaceAll(strings.ReplaceAll(word, "${PWD}", here), "$PWD", here)
	for range 20 {
		before, rest, ok := strings.Cut(word, "$(")
		if !ok {
			break
		}
		inner, length := substituted([]rune("$(" + rest))
		after := string([]rune("$(" + rest)[length:])
		is := "$_"
		switch {
		case inner == "pwd" || inner == "pwd -P":
			is = here
		case strings.Contains(inner, "dirname") && (strings.Contains(inner, "$0") || strings.Contains(inner, "BASH_SOURCE")):
			is = base + strings.Repeat("/..", strings.Count(inner, "/.."))
		}
		word = before + is + after
	}
	return word
}

// absolute reports whether a path of a script leads from somewhere else than where it began.
func absolute(name string) bool {
	return strings.HasPrefix(name, "/") || strings.HasPrefix(name, "$") || strings.HasPrefix(name, "~")
}

// entered is the directory that a script is in after cd.
func entered(cwd, dir string) string {
	if rest, ok := strings.CutPrefix(dir, base); ok {
		return inner(strings.TrimPrefix(rest, "/"))
	}
	if absolute(dir) {
		return dir
	}
	return inner(path.Join(cwd, dir))
}

// inner is a path below where the script began, "" for that itself.
func inner(dir string) string {
	if dir = path.Clean(dir); dir == "." {
		return ""
	}
	return dir
}

func isName(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

// expandVars puts the values of the script's own variables into a word, where it begins with one.
func expandVars(word string, vars map[string]string) string {
	for range 4 {
		rest, ok := strings.CutPrefix(word, "$")
		if !ok {
			return word
		}
		name, after := rest, ""
		if inner, closed := strings.CutPrefix(rest, "{"); closed {
			name, after, _ = strings.Cut(inner, "}")
		} else if i := strings.IndexAny(rest, "/.-\"':"); i >= 0 {
			name, after = rest[:i], rest[i:]
		}
		value, known := vars[name]
		if !known || value == "" || strings.HasPrefix(value, "$"+name) || len(value) > 300 {
			return word
		}
		word = value + after
	}
	return word
}

// means reports whether a path that stands in the script is one of the deployment. What comes before it there, in a variable,
// is not known.
func (s *script) means(target, name string) bool {
	if target == name || !strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "$") && path.Join(s.dir, target) == name {
		return true
	}
	theirs, mine := strings.Split(strings.TrimPrefix(target, "./"), "/"), strings.Split(name, "/")
	i, j := len(theirs)-1, len(mine)-1
	if i > 0 && strings.Contains(theirs[i], "$") && !strings.Contains(theirs[i-1], "$") {
		theirs[i] = anyName(theirs[i]) // appservices/$bridge.yaml
	}
	named := false // a star alone is any name, and says of none that it is there
	for ; i >= 0 && j >= 0 && mine[j] != ".."; i, j = i-1, j-1 {
		if theirs[i] == ".." || theirs[i] == "~" || strings.Contains(theirs[i], "$") && theirs[i] != mine[j] {
			return named // what the variable holds may end in the rest
		}
		if ok, err := path.Match(theirs[i], mine[j]); err != nil || !ok {
			return theirs[i] == "" && named // an absolute path
		}
		named = named || theirs[i] != "*"
	}
	if i >= 0 {
		// An absolute path may be where the deployment lies.
		return named && (len(mine) > 1 || strings.ContainsAny(theirs[i], "$~.") || strings.HasPrefix(target, "/") || strings.HasPrefix(target, "~/"))
	}
	return j < 0 || mine[j] == ".."
}

// anyName puts a star in the place of each variable of a file's name; what is nothing but a variable stays as it is.
func anyName(word string) string {
	var b strings.Builder
	for i := 0; i < len(word); i++ {
		if word[i] != '$' {
			b.WriteByte(word[i])
			continue
		}
		b.WriteByte('*')
		if rest := word[i+1:]; strings.HasPrefix(rest, "{") {
			i += 1 + strings.IndexByte(rest+"}", '}')
			continue
		}
		for i+1 < len(word) && (word[i+1] == '_' || '0' <= word[i+1] && word[i+1] <= '9' || 'a' <= word[i+1]|0x20 && word[i+1]|0x20 <= 'z') {
			i++
		}
	}
	if strings.Trim(b.String(), "*") == "" {
		return word
	}
	return b.String()
}
