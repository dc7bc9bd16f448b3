package dockerfile

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
)

// Copy is what COPY or ADD puts into the image: the paths below the build's context, and where they go. Where a Target ends in a
// slash, or there are several Sources, it is a directory. Unseen says why what lies there is not what lies in the context; "" where it is.
type Copy struct {
	Sources []string
	Target  string
	Unseen  string
	Word
}

// copied reads COPY and ADD.
func (s *stage) copied(in instruction) {
	c := Copy{Word: Word{Text: in.text, Line: in.line, Col: in.col}}
	words := fields(in.text)
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		name, from, _ := strings.Cut(words[0], "=")
		switch name {
		case "--from":
			c.Unseen = "it comes from " + from + ", another stage or image"
		case "--exclude", "--parents":
			c.Unseen = "it is copied with " + name
		}
		words = words[1:]
	}
	var list []string
	if json.Unmarshal([]byte(strings.Join(words, " ")), &list) == nil {
		words = list
	}
	if len(words) < 2 {
		return
	}
	known := true
	for i, w := range words {
		text, ok := expand(unquoted(w), s.look)
		words[i], known = text, known && ok
		if i < len(words)-1 && (strings.Contains(text, "://") || strings.HasPrefix(text, "<<") || strings.HasPrefix(text, "git@")) {
			c.Unseen = "it is not copied from the directory"
		}
		if in.name == "ADD" && (strings.Contains(text, ".tar") || strings.HasSuffix(text, ".tgz")) {
			c.Unseen = "it is an archive"
		}
	}
	if !known {
		c.Unseen = "where it is copied is known only where the image is built"
	}
	c.Sources, c.Target = words[:len(words)-1], words[len(words)-1]
	if !path.IsAbs(c.Target) {
		if s.image.WorkDir.Line == 0 || s.image.WorkDir.Open {
			c.Unseen = "the directory that it is copied into is the image's own"
		}
		slash := strings.HasSuffix(c.Target, "/") || c.Target == "." || strings.HasSuffix(c.Target, "/.")
		if c.Target = path.Join("/", s.image.WorkDir.Text, c.Target); slash {
			c.Target += "/"
		}
	}
	s.image.Copies = append(slices.Clip(s.image.Copies), c)
}

// changed marks what a command may have changed since it was copied: what it calls by its name.
func (s *stage) changed(in instruction) {
	s.image.Copies = slices.Clone(s.image.Copies)
	for i, c := range s.image.Copies {
		names := []string{strings.TrimSuffix(c.Target, "/")}
		for _, source := range c.Sources {
			if base := path.Base(source); base != "." && base != "/" {
				names = append(names, base)
			}
		}
		if c.Unseen == "" && slices.ContainsFunc(names, func(name string) bool { return len(name) > 1 && strings.Contains(in.text, name) }) && rewrites(in.text) {
			s.image.Copies[i].Unseen = "a command of the Dockerfile may have changed it"
		}
	}
}

// rewrites leaves out commands that only give a file to others.
func rewrites(command string) bool {
	for part := range strings.FieldsFuncSeq(command, func(r rune) bool { return r == '&' || r == ';' || r == '|' }) {
		words := strings.Fields(part)
		if len(words) > 0 && !slices.Contains([]string{"chown", "chmod", "mkdir", "nginx", "caddy"}, words[0]) {
			return true
		}
	}
	return false
}
