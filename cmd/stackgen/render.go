package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"philipp.info/stackgen/pkg/diff"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/store"
)

type renderCmd struct {
	Specs   []string `arg:"" optional:"" name:"spec" help:"Specs to render." default:"stack.yaml"`
	Output  string   `short:"o" help:"Output directory; with several specs, each gets a directory below it, called as the one that the spec is in." default:"out" placeholder:"DIR"`
	Secrets string   `help:"Secrets file. Default: secrets.yaml beside the spec." placeholder:"FILE"`
	Force   bool     `help:"Overwrite files that were edited by hand or are not stackgen's. A copy of each is kept in DIR/.stackgen/kept."`
	Anew    bool     `name:"i-know-what-this-breaks" help:"Render although the stack loses what it has to keep, such as its server name."`
	Format  string   `help:"What is printed on stdout: ${enum}." enum:"text,json" default:"text" placeholder:"FORMAT"`
}

func (*renderCmd) Help() string {
	return `Makes the secrets that are missing, renders everything in memory, checks it, and only then writes what differs. A file that was edited by hand is never overwritten without --force.

Example:

    stackgen render stack.yaml -o out
    stackgen render */stack.yaml -o stacks
`
}

// outcome is what became of one spec.
type outcome struct {
	*proof
	spec, dir string
	plan      *store.Plan
	code      int
	err       error
}

func (c *renderCmd) Run(a *app) error {
	if c.Secrets != "" && len(c.Specs) > 1 {
		return usagef("--secrets is the file of one spec, but there are %d", len(c.Specs))
	}
	dirs, err := outputs(c.Specs, c.Output)
	if err != nil {
		return err
	}
	code, failed, cut := exitClean, 0, 0
	for i, t := range each(a, c.Specs, func(i int) *told { return c.tell(a, c.one(a, c.Specs[i], dirs[i])) }) {
		if t == nil || t.cut {
			cut++
			continue
		}
		if t.err != nil {
			return t.err
		}
		if i > 0 && c.Format == "text" && !t.unchanged {
			fmt.Fprintln(a.stderr)
		}
		if _, err := t.stdout.WriteTo(a.stdout); err != nil {
			return err
		}
		if _, err := t.stderr.WriteTo(a.stderr); err != nil {
			return err
		}
		if t.code != exitClean {
			failed++
		}
		code = max(code, t.code)
	}
	if cut > 0 {
		if len(c.Specs) == 1 {
			return ended(a.ctx, "nothing was written")
		}
		return ended(a.ctx, "%d of %d specs were rendered, %d failed, and the directories of the others are as they were", len(c.Specs)-failed-cut, len(c.Specs), failed)
	}
	if len(c.Specs) > 1 && c.Format == "text" {
		fmt.Fprintf(a.stderr, "\n%s rendered, %d failed\n", output.Plural(len(c.Specs)-failed, "spec"), failed)
	}
	return exit(code)
}

// told is what there is to say about an outcome. Of a thousand stacks it is all that is kept.
type told struct {
	stdout, stderr bytes.Buffer
	code           int
	unchanged      bool
	cut            bool // by a signal, before anything was written
	err            error
}

func (c *renderCmd) tell(a *app, o *outcome) *told {
	if _, cut := errors.AsType[endedError](o.err); cut {
		return &told{cut: true}
	}
	t := &told{code: o.code, unchanged: o.code == exitClean && o.unchanged()}
	t.err = c.print(a, t, o)
	return t
}

func (c *renderCmd) one(a *app, path, dir string) *outcome {
	o := &outcome{proof: &proof{}, spec: path, dir: dir}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		o.code, o.err = exitFailed, fmt.Errorf("the output directory %s is a file; name another with -o", dir)
		return o
	}
	if o.proof, o.err = proveFile(a.ctx, request{spec: path, secrets: c.Secrets, dir: dir, real: true, anew: c.Anew}); o.err == nil && o.OK() {
		// Secrets go first: a tree without the secrets that it was made with could never be made again.
		if o.err = ended(a.ctx, "nothing was written"); o.err == nil {
			// From here on a signal comes too late: what was begun is completed.
			o.err = c.save(context.WithoutCancel(a.ctx), o)
		}
		if o.err == nil {
			o.plan, o.err = store.Write(context.WithoutCancel(a.ctx), dir, o.stack(), c.Force)
		}
	}
	switch {
	case errors.Is(o.err, store.ErrConflict):
		o.code, o.err = exitFindings, nil
	case o.err != nil:
		o.code, o.err = exitFailed, o.maskErr(o.err)
	case !o.OK():
		o.code = exitFindings
	}
	return o
}

// save writes the secrets that were made, but not for a render that is refused anyway.
func (c *renderCmd) save(ctx context.Context, o *outcome) error {
	if !o.set.Dirty() {
		return o.set.Save(ctx) // which only tidies up
	}
	plan, err := store.Compare(o.dir, o.stack())
	if err != nil {
		return err
	}
	if len(plan.Conflicts()) > 0 && !c.Force {
		return nil
	}
	return o.set.Save(ctx)
}

func (c *renderCmd) print(a *app, t *told, o *outcome) error {
	if c.Format == "json" {
		return a.printJSON(t, o)
	}
	if f := o.found(); !f.silent() {
		text, err := a.findings(a.stdout, "text", f)
		if err != nil {
			return err
		}
		t.stdout.WriteString(text)
	}
	if o.err != nil {
		fail(&t.stderr, o.err)
	} else if o.plan != nil {
		t.stderr.WriteString(o.mask(o.text(a.style(a.stderr))))
	}
	return nil
}

type changedJSON struct {
	Path   string       `json:"path"`
	Action store.Action `json:"action"`
	Copy   string       `json:"copy,omitempty"` // of what was overwritten by force
}

func (a *app) printJSON(t *told, o *outcome) error {
	doc := struct {
		Spec       string          `json:"spec"`
		Output     string          `json:"output"`
		Changed    []changedJSON   `json:"changed"`
		Recreate   []string        `json:"recreate"`
		Steps      []string        `json:"steps"`
		Next       []string        `json:"next"`
		Findings   json.RawMessage `json:"findings"`
		Suppressed json.RawMessage `json:"suppressed"`
		Error      string          `json:"error,omitempty"`
	}{Spec: o.mask(o.spec), Output: o.mask(o.dir), Changed: []changedJSON{}, Recreate: []string{}, Steps: []string{}, Next: []string{}}
	said, err := a.foundJSON(o.found())
	if err != nil {
		return err
	}
	doc.Findings, doc.Suppressed = said.Findings, said.Suppressed
	if o.plan != nil {
		for _, ch := range o.plan.Changes {
			doc.Changed = append(doc.Changed, changedJSON{o.mask(ch.Path), ch.Action, o.mask(ch.Copy)})
		}
		if o.code == exitClean {
			e := diff.EffectsOf(o.input(o.plan, o.dir))
			doc.Recreate = append(append(doc.Recreate, named(e.Services, diff.Recreated)...), named(e.Services, diff.Created)...)
			doc.Steps, doc.Next = o.maskAll(e.Steps), o.maskAll(e.Next)
		}
	}
	if o.err != nil {
		doc.Error = o.err.Error()
		fail(&t.stderr, o.err)
	}
	text, err := output.JSON(doc, "")
	t.stdout.Write(text)
	return err
}

func (p *proof) maskAll(lines []string) []string {
	masked := make([]string, len(lines))
	for i, l := range lines {
		masked[i] = p.mask(l)
	}
	return masked
}
