// Package dockerfile reads what the last stage of a Dockerfile says of its image: which one it begins with, and how
// it is started, and what is copied into it. What its commands do is not looked at.
package dockerfile

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Options are what a build is told besides its Dockerfile.
type Options struct {
	// Target is the stage that is meant, by name or number; "" for the last.
	Target string
	// Args are build arguments; they count before the defaults of the file.
	Args map[string]string
	// Contexts are images and directories that have a name for FROM; an image begins with docker-image://.
	Contexts map[string]string
}

// Image is what a Dockerfile makes, as far as it says so. Nothing in it comes from the image that it begins with.
type Image struct {
	// Base is the image that the stages begin with; its text is "" where it begins with nothing.
	Base Word
	// Entrypoint and Cmd are nil where the file does not say them.
	Entrypoint, Cmd *Command
	// Env are the variables, the one that counts at the end.
	Env           []Variable
	User, WorkDir Word
	// Health is the command of its check; nil where it says none. One that switches it off is NONE.
	Health *Command
	// Copies are what is put into it, in its order.
	Copies []Copy
}

// Word is a part of the file and where its instruction has it; Line 0 where there is none. Open says that it holds
// what is known only where it is built.
type Word struct {
	Text      string
	Line, Col int
	Open      bool
}

// Command are the words of a command. Shell says that a shell takes them apart.
type Command struct {
	Words []string
	Word
	Shell bool
}

// Variable is one of the environment.
type Variable struct {
	Name string
	Word
}

// stage is what is made between one FROM and the next.
type stage struct {
	name   string
	image  Image
	scope  map[string]string // ENV and ARG, as they are known
	opened map[string]bool   // those that are not
}

// Read follows the instructions. why says what makes the result unknown; "" where it is known.
func Read(src []byte, o Options) (image Image, why string) {
	all := instructions(string(src))
	outer := &stage{scope: platform(), opened: map[string]bool{}}
	var stages []*stage
	for _, in := range all {
		switch {
		case in.name == "FROM":
			s, why := from(in, stages, outer, o)
			if why != "" {
				return Image{}, why
			}
			stages = append(stages, s)
		case len(stages) == 0 && in.name == "ARG":
			outer.arg(in, o.Args, nil)
		case len(stages) == 0:
			return Image{}, "it does not begin with FROM"
		default:
			stages[len(stages)-1].take(in, o.Args, outer)
		}
	}
	if len(stages) == 0 {
		return Image{}, "it has no FROM"
	}
	if o.Target == "" {
		return stages[len(stages)-1].image, ""
	}
	s := named(stages, o.Target)
	if n, err := strconv.Atoi(o.Target); s == nil && err == nil && n >= 0 && n < len(stages) {
		s = stages[n]
	}
	if s == nil {
		return Image{}, "it has no stage " + o.Target
	}
	return s.image, ""
}

func platform() map[string]string {
	return map[string]string{"TARGETOS": "linux", "BUILDOS": "linux"}
}

func named(stages []*stage, name string) *stage {
	for _, stage := range slices.Backward(stages) {
		if strings.EqualFold(stage.name, name) && name != "" {
			return stage
		}
	}
	return nil
}

// from begins a stage: on an image, or on a stage before.
func from(in instruction, stages []*stage, outer *stage, o Options) (*stage, string) {
	words := fields(in.text)
	col := in.col
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		col += len(words[0]) + 1
		words = words[1:]
	}
	if len(words) == 0 {
		return nil, "a FROM names no image"
	}
	s := &stage{scope: map[string]string{}, opened: map[string]bool{}}
	if len(words) == 3 && strings.EqualFold(words[1], "AS") {
		s.name = words[2]
	}
	base, known := expand(words[0], outer.look)
	if before := named(stages, base); before != nil {
		s.image = before.image
		s.scope, s.opened = maps.Clone(before.scope), maps.Clone(before.opened)
		return s, ""
	}
	if context, ok := o.Contexts[base]; ok {
		image, isImage := strings.CutPrefix(context, "docker-image://")
		if !isImage {
			return s, "the context " + base + " stands for its image"
		}
		base = image
	}
	if base == "scratch" {
		base = ""
	}
	s.image.Base = Word{Text: base, Line: in.line, Col: col, Open: !known}
	return s, ""
}

// take does what an instruction says to the image of the stage.
func (s *stage) take(in instruction, args map[string]string, outer *stage) {
	word := func(text string) Word {
		filled, known := expand(text, s.look)
		return Word{Text: filled, Line: in.line, Col: in.col, Open: !known}
	}
	switch in.name {
	case "ARG":
		s.arg(in, args, outer)
	case "ENV":
		for name, text := range assignments(in.text) {
			w := word(text)
			s.image.Env = append(slices.Clip(s.image.Env), Variable{name, w})
			s.scope[name], s.opened[name] = w.Text, w.Open
		}
	case "USER":
		s.image.User = word(in.text)
	case "WORKDIR":
		w := word(unquoted(in.text))
		if !path.IsAbs(w.Text) {
			w.Text = path.Join(s.image.WorkDir.Text, w.Text)
			w.Open = w.Open || s.image.WorkDir.Line == 0 // what the base has is not known
		}
		s.image.WorkDir = w
	case "COPY", "ADD":
		s.copied(in)
	case "RUN":
		s.changed(in)
	case "ENTRYPOINT":
		s.image.Entrypoint = in.command()
	case "CMD":
		s.image.Cmd = in.command()
	case "HEALTHCHECK":
		text := in.text
		for strings.HasPrefix(text, "--") {
			_, text, _ = strings.Cut(text, " ")
			text = strings.TrimSpace(text)
		}
		kind, rest, _ := strings.Cut(text, " ")
		check := instruction{text: strings.TrimSpace(rest), line: in.line, col: in.col}
		if s.image.Health = check.command(); strings.EqualFold(kind, "NONE") {
			s.image.Health.Words = []string{"NONE"}
		}
	}
}

// arg declares a build argument. One without a default takes that of the same name before the first stage.
func (s *stage) arg(in instruction, given map[string]string, outer *stage) {
	for _, w := range fields(in.text) {
		name, text, has := strings.Cut(w, "=")
		val, known := expand(unquoted(text), s.look)
		if outer != nil && !has {
			val, known = outer.look(name)
		} else if !has {
			known = false
		}
		if own, ok := given[name]; ok {
			val, known = own, true
		}
		s.scope[name], s.opened[name] = val, !known
	}
}

// look gives a variable; known is false for one that the build alone knows.
func (s *stage) look(name string) (text string, known bool) {
	text, there := s.scope[name]
	return text, there && !s.opened[name]
}

// command reads the words of CMD, ENTRYPOINT and HEALTHCHECK: a JSON list, or what a shell is given.
func (in instruction) command() *Command {
	c := &Command{Word: Word{Text: in.text, Line: in.line, Col: in.col}}
	if json.Unmarshal([]byte(in.text), &c.Words) != nil || !strings.HasPrefix(in.text, "[") {
		c.Words, c.Shell = []string{in.text}, true
	}
	return c
}
