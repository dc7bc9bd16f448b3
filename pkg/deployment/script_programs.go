package deployment

import (
	"path"
	"slices"
	"strings"
)

// fetched takes what curl and wget write: the file that an option names, alone or behind other letters, or the one of the address.
func (s *script) fetched(program string, words []string) {
	named, dir := program == "wget", "" // by the address
	var addresses []string
	for i, w := range words {
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		letters := strings.HasPrefix(w, "-") && !strings.HasPrefix(w, "--")
		switch {
		case strings.Contains(w, "://"):
			if address, _, _ := strings.Cut(w, "?"); path.Base(address) != "" && strings.Count(address, "/") > 2 {
				addresses = append(addresses, path.Base(address))
			}
		case program == "curl" && letters && strings.HasSuffix(w, "o"), program == "wget" && letters && strings.HasSuffix(w, "O"):
			named = false
			s.add(next)
		case program == "curl" && (letters && strings.Contains(w, "O") || strings.HasPrefix(w, "--remote-name")):
			named = true
		case program == "wget" && (letters && strings.HasSuffix(w, "P")), w == "--output-dir":
			dir = next
		case strings.HasPrefix(w, "--directory-prefix="), strings.HasPrefix(w, "--output-dir="):
			_, dir, _ = strings.Cut(w, "=")
		case strings.HasPrefix(w, "--output-document"), strings.HasPrefix(w, "--output"):
			named = false // taken as any program's
		}
	}
	if !named {
		return
	}
	for _, a := range addresses {
		s.add(path.Join(dir, a))
	}
}

// shellNames are programs that run a word as a command line.
var shellNames = []string{"sh", "bash", "eval", "su"}

// within takes what command lines write that another shell is given as words: where that is, is not known.
func (s *script) within(words []shellWord, vars map[string]string) {
	for _, w := range words {
		if !strings.ContainsAny(w.text, " \t") || len(w.text) > 2000 {
			continue
		}
		cwd, left := s.cwd, s.left
		list, _ := commands(w.text)
		for _, command := range list {
			if command[0].text != w.text {
				s.command(command, vars)
			}
		}
		s.cwd, s.left = cwd, left
	}
}

// dokploy is the file beside the Compose file from which Dokploy makes others: packages/server/src/templates.
const dokploy = "template.toml"

// mounts takes the files that Dokploy makes beside the directory of the Compose file, of its config.mounts.
func (s *script) mounts() {
	for line := range strings.Lines(s.text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "filePath"); ok {
			name := strings.Trim(strings.TrimSpace(value), "= \"'")
			s.targets = append(s.targets, path.Join("../files", name))
		}
	}
}

// finds takes the names that find is asked for, and writes to them where it is told to edit what it finds.
func (s *script) finds(words []string) {
	var names []string
	edits := false
	for i, w := range words {
		if (w == "-name" || w == "-iname") && i+1 < len(words) && (i == 0 || words[i-1] != "!" && words[i-1] != "-not") {
			names = append(names, words[i+1])
		}
		edits = edits || strings.HasPrefix(w, "-exec") && slices.ContainsFunc(words[i:], func(o string) bool { return strings.HasPrefix(o, "-i") && o != "-iname" || o == "--in-place" })
	}
	if s.found = strings.Join(names, ","); len(names) > 1 {
		s.found = "{" + s.found + "}"
	}
	if s.found != "" {
		s.found = "$-/" + s.found // in whichever directory
	}
	if edits {
		s.add(s.found)
	}
}
