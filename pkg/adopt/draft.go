package adopt

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// optional are the sections that are there even if they are empty, in a spec that has them.
var optional = []string{"element", "calls", "turn"}

// draft makes the spec of what was read.
func (r *reader) draft() (*Draft, []finding.Finding) {
	tree := written(&r.spec, r.extra, append([]string{"auth"}, optional...)...)
	for _, section := range optional {
		if !r.served[section] {
			tree.Delete(section)
		}
	}
	d := &Draft{Secrets: make(map[string]string), Files: r.files}
	if refused := r.accept(tree); len(refused) > 0 {
		return nil, refused
	}
	if err := r.shrink(tree); err != nil {
		return nil, fault(err)
	}
	if err := r.lay(tree, d); err != nil {
		return nil, fault(err)
	}
	text, err := r.commented(ordered(tree))
	if err != nil {
		return nil, fault(err)
	}
	s, findings := spec.Parse(r.o.SpecName, text)
	if s == nil {
		return nil, findings
	}
	d.Spec, d.Text, d.Notes = s, text, r.notes
	for _, n := range render.Needs(s) {
		if value := r.secrets[n.Name]; value != "" {
			d.Secrets[n.Name] = value
		}
	}
	return d, nil
}

func fault(err error) []finding.Finding {
	return []finding.Finding{{Rule: "import", Severity: finding.Error, Message: "of a fault in stackgen: " + err.Error(), Fix: "report it, without the files", Sites: []source.Site{{}}}}
}

// parse reads the tree as a spec.
func (r *reader) parse(tree *source.Node) (*spec.Spec, []finding.Finding, error) {
	text, err := tree.YAML()
	if err != nil {
		return nil, nil, err
	}
	s, findings := spec.Parse(r.o.SpecName, text)
	return s, findings, nil
}

// accept takes out of the tree what a spec may not say, and notes it. What is left is a spec, or else the findings say
// why there can be none.
func (r *reader) accept(tree *source.Node) []finding.Finding {
	for {
		s, findings, err := r.parse(tree)
		switch {
		case err != nil:
			return fault(err)
		case s != nil:
			return nil
		}
		dropped := false
		for _, f := range findings {
			if f.Severity == finding.Error && r.drop(tree, f) {
				dropped = true
				break // what the others say may be another thing then
			}
		}
		if !dropped {
			return r.placed(tree, findings)
		}
	}
}

// placed has what is wrong with the server's name, the one thing that cannot be left out, stand where the deployment says it.
func (r *reader) placed(tree *source.Node, findings []finding.Finding) []finding.Finding {
	text, _ := tree.YAML()
	parsed, _ := source.Parse(r.o.SpecName, text)
	for i, f := range findings {
		if slices.Equal(parsed.KeysAt(f.Pos()), []string{"server_name"}) {
			findings[i].Rule, findings[i].Sites = "import", []source.Site{r.syn.Server.Site("")}
			findings[i].Message = "the stack cannot be taken over: " + f.Message
			findings[i].Fix = "begin a new stack with stackgen init; the users of this one stay here" // a name can never change
		}
	}
	return findings
}

// drop takes a field that is refused out of the tree.
func (r *reader) drop(tree *source.Node, f finding.Finding) bool {
	text, err := tree.YAML()
	if err != nil {
		return false
	}
	parsed, _ := source.Parse(r.o.SpecName, text)
	path := parsed.KeysAt(f.Pos())
	if list := tree.Get(path[:max(len(path)-1, 0)]...); len(path) > 1 && list.Is(source.Sequence) {
		i, err := strconv.Atoi(path[len(path)-1])
		if err != nil || i >= len(list.Items) {
			return false
		}
		list.Items = slices.Delete(list.Items, i, i+1)
		r.note(source.Site{}, f.Message, path[:len(path)-1]...)
		return true
	}
	switch {
	case slices.Equal(path, []string{"auth"}):
		tree.Get("auth").Set("passwords", source.Made("!!bool", "true"))
	case slices.Equal(path, []string{"email"}):
		if tree.Delete("email"); slices.ContainsFunc(r.notes, func(n Note) bool { return len(n.Field) > 1 && n.Field[0] == "email" }) {
			return true // that it is gone follows from what is noted
		}
	case len(path) < 2 && tree.Get(path...).Is(source.Mapping) || tree.Get(path...) == nil || slices.Equal(path, []string{"server_name"}):
		return false
	default:
		tree.Get(path[:len(path)-1]...).Delete(path[len(path)-1])
	}
	r.note(source.Site{}, f.Message, path...)
	return true
}

// shrink leaves out what is the default anyway: without it the stack is the same.
func (r *reader) shrink(tree *source.Node) error {
	whole, _, err := r.parse(tree)
	if err != nil || whole == nil {
		return err
	}
	want := r.resolve(whole)
	for _, path := range leaves(tree, nil) {
		parent, key := tree.Get(path[:len(path)-1]...), path[len(path)-1]
		value := parent.Get(key)
		less := tree.Clone()
		prune(less, path)
		s, _, err := r.parse(less)
		if err != nil {
			return err
		}
		if s != nil && reflect.DeepEqual(want, r.resolve(s)) && value != nil {
			prune(tree, path)
		}
	}
	return nil
}

// prune takes a field out, and the sections that are empty without it.
func prune(tree *source.Node, path []string) {
	for i := len(path); i > 0; i-- {
		parent := tree.Get(path[:i-1]...)
		parent.Delete(path[i-1])
		keep := i == 1 || len(parent.Names()) > 0 || slices.Equal(path[:i-1], []string{"auth"}) || len(path[:i-1]) == 1 && slices.Contains(optional, path[0]) || i == 3 && path[0] == "bridges" || path[i-2] == "permissions"
		if keep {
			return
		}
	}
}

// resolve is the stack of a spec with the secrets that were read, and placeholders for the others.
func (r *reader) resolve(s *spec.Spec) *render.Stack {
	return render.Resolve(s, r.set(s), r.o.Dir, r.o.Sources...)
}

// set is made once for the same needs: keys take their time.
func (r *reader) set(s *spec.Spec) *secret.Set {
	needs := render.Needs(s)
	var names strings.Builder
	for _, n := range needs {
		fmt.Fprintf(&names, "%s %v %s\n", n.Name, n.Form, r.secrets[n.Name])
	}
	if set := r.sets[names.String()]; set != nil {
		return set
	}
	set := secret.Placeholders(needs)
	for _, n := range needs {
		if value := r.secrets[n.Name]; value != "" {
			_ = set.Set(n.Name, value) // one that cannot be right is told when the secrets are kept
		}
	}
	r.sets[names.String()] = set
	return set
}

// commented is the tree as text, with each note above its field.
func (r *reader) commented(tree *source.Node) ([]byte, error) {
	text, err := tree.YAML()
	if err != nil || len(r.notes) == 0 {
		return text, err
	}
	parsed, problem := source.Parse("", text)
	if problem != nil {
		return nil, fmt.Errorf("%s", problem.Message)
	}
	above := make(map[int][]string)
	for _, n := range r.notes {
		at := parsed.Root()
		for _, key := range n.Field { // as far as it is there
			below := at.At(key)
			if !below.Exists() {
				break
			}
			at = below
		}
		line := max(at.KeyPos().Line, 1)
		if slices.Contains(above[line], n.Text) {
			continue
		}
		above[line] = append(above[line], n.Text)
	}
	var out bytes.Buffer
	i := 0
	for line := range strings.Lines(string(text)) {
		i++
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		for _, note := range above[i] {
			for l := range strings.SplitSeq(note, "\n") {
				fmt.Fprintf(&out, "%s# %s\n", indent, l)
			}
		}
		out.WriteString(line)
	}
	return out.Bytes(), nil
}
