package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/output"
)

// version overrides what the build knows, for releases built outside of git: -ldflags "-X main.version=v1.2.3".
var version string

type versionCmd struct {
	Components bool   `help:"Also list the programs: what is rendered, and which version was tried with the real program."`
	Format     string `help:"What is printed on stdout: ${enum}." enum:"text,json" default:"text" placeholder:"FORMAT"`
}

func (*versionCmd) Help() string {
	return `Example:

    stackgen version --components
`
}

func (c *versionCmd) Run(a *app) error {
	if c.Format == "json" {
		return c.json(a.stdout)
	}
	if _, err := fmt.Fprintln(a.stdout, versionLine()); err != nil || !c.Components {
		return err
	}
	fmt.Fprintln(a.stdout)
	rows := append([][]string{trialColumns}, trialRows()...)
	widths := make([]int, len(trialColumns))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], output.Width(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", widths[i]-output.Width(cell)+2))
		}
		fmt.Fprintln(a.stdout, strings.TrimRight(line.String(), " "))
	}
	return nil
}

// versionJSON is what is printed for programs. Components is there with --components alone.
type versionJSON struct {
	Version    string          `json:"version"`
	Go         string          `json:"go"`
	Platform   string          `json:"platform"`
	Components []componentJSON `json:"components,omitempty"`
}

// componentJSON has no image for a program that is not rendered: it runs the stack, or beside it.
type componentJSON struct {
	Name      string      `json:"name"`
	Title     string      `json:"title"`
	Image     string      `json:"image,omitempty"`
	Oldest    string      `json:"oldest,omitempty"`
	OldestWhy string      `json:"oldest_why,omitempty"`
	Ran       bool        `json:"ran"`
	Trials    []trialJSON `json:"trials"`
}

type trialJSON struct {
	Version string `json:"version"`
	Part    string `json:"part,omitempty"`
	Did     string `json:"did"`
	By      string `json:"by"`
	Since   string `json:"since"`
}

func (c *versionCmd) json(w io.Writer) error {
	doc := versionJSON{Version: ownVersion(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if c.Components {
		for _, p := range triedPrograms() {
			of := componentJSON{Name: string(p.Program), Title: p.Title, Image: p.Tested.String(), OldestWhy: p.OldestWhy, Ran: p.Ran(), Trials: []trialJSON{}}
			if p.Oldest != (component.Version{}) {
				of.Oldest = p.Oldest.String()
			}
			for _, t := range component.TrialsOf(p.Program) {
				of.Trials = append(of.Trials, trialJSON{t.Version, t.Part, t.Did, t.By, t.Since})
			}
			doc.Components = append(doc.Components, of)
		}
	}
	text, err := output.JSON(doc, "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// triedPrograms are all components, and what runs them.
func triedPrograms() []*component.Component {
	return append(slices.Clip(component.All), &component.Component{Program: component.DockerCompose, Title: "Docker Compose"})
}

var trialColumns = []string{"program", "by default", "from", "tried", "since", "what it did"}

// trialRows are a line for each trial, and one for each release that is rendered and never ran itself.
func trialRows() (rows [][]string) {
	for _, p := range triedPrograms() {
		lead := []string{p.Title, p.Tested.Tag, ""}
		if p.Oldest != (component.Version{}) {
			lead[2] = p.Oldest.String()
		}
		add := func(cells ...string) {
			rows = append(rows, append(lead, cells...))
			lead = []string{"", "", ""}
		}
		if p.Tested.Tag != "" && !p.Ran() {
			add(p.Tested.Tag, "", "never ran itself")
		}
		for _, t := range component.TrialsOf(p.Program) {
			add(strings.TrimSpace(t.Part+" "+t.Version), t.Since, t.Did+" ("+t.By+")")
		}
	}
	return rows
}

// versionFlag is --version, which people try first.
type versionFlag bool

// BeforeReset prints the version and ends the run, as --help does.
func (versionFlag) BeforeReset(k *kong.Kong) error {
	_, err := fmt.Fprintln(k.Stdout, versionLine())
	k.Exit(exitClean)
	return err
}

func ownVersion() string {
	v := version
	if info, ok := debug.ReadBuildInfo(); v == "" && ok {
		v = info.Main.Version
	}
	return cmp.Or(v, "(devel)")
}

func versionLine() string {
	return fmt.Sprintf("stackgen %s %s %s/%s", ownVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
