package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

type routeCmd struct {
	Method string `arg:"" help:"HTTP method of the request."`
	URL    string `arg:"" name:"url" help:"What is asked for: https://host/path or host/path."`
	Dir    string `help:"Directory with the compose file. Default: out if there is one in it, else the current one." placeholder:"DIR"`
	Format string `help:"What is printed on stdout: ${enum}." enum:"text,json" default:"text" placeholder:"FORMAT"`
}

func (*routeCmd) Help() string {
	return `Reads what the proxy of the stack is told (labels for Traefik and its files, a Caddyfile, nginx.conf) and follows one HTTPS request: the entrypoint by which it comes in, the routers in the order in which they are tried, the one that takes it, and what the container is asked for in the end. Nothing is sent.

Example:

    stackgen route POST https://matrix.example.org/_matrix/client/v3/login
    stackgen route GET https://matrix.example.org:8448/_matrix/key/v2/server
`
}

func (c *routeCmd) Run(a *app) error {
	if strings.ContainsFunc(c.Method, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' }) {
		return usagef("%q is no HTTP method; it stands before the URL", c.Method)
	}
	u, err := requestURL(c.URL)
	if err != nil {
		return err
	}
	dir := c.Dir
	if dir == "" {
		dir = stackDir()
	}
	files, closed, err := openTree(dir, "")
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: there is no compose file here, nor such a directory", dir)
	}
	if err != nil {
		return err
	}
	defer func() { _ = closed() }()
	d, findings := opened(files, composeOptions(dir, nil))
	if d.File == "" {
		inDir(dir, findings)
		f := d.Hide(findings)[0]
		return fmt.Errorf("%s: %s", f.Pos(), f.Message)
	}
	table := d.Routes()
	method := strings.ToUpper(c.Method)
	res := table.Match(method, u.Host, u.RequestURI())
	way := newWay(dir, res)
	mask := d.Mask()
	way.mask(mask)
	way.Method, way.Host, way.Path = method, u.Host, u.RequestURI()
	if c.Format == "json" {
		var text []byte
		if text, err = output.JSON(way, ""); err == nil {
			_, err = a.stdout.Write(text)
		}
	} else {
		_, err = io.WriteString(a.stdout, way.text(a.style(a.stdout), append(problemLines(dir, table, res, mask), unreadLines(dir, d, table, mask)...)))
	}
	if err != nil {
		return err
	}
	if res.Router == nil && res.Unknown == "" {
		return exitCode(exitFindings)
	}
	return nil
}

// requestURL reads a URL whose scheme may be left out.
func requestURL(text string) (*url.URL, error) {
	scheme, _, ok := strings.Cut(text, "://")
	switch {
	case !ok || strings.ContainsAny(scheme, "/?#"):
		text = "https://" + text
	case !strings.EqualFold(scheme, "https"):
		return nil, usagef("only the way of HTTPS requests is known, not of %s", scheme)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, usageError{err}
	}
	if u.Hostname() == "" {
		return nil, usagef("%q names no host; write https://host/path or host/path", text)
	}
	return u, nil
}

// stackDir is where render puts a stack, unless there is none.
func stackDir() string {
	for _, name := range compose.Names {
		if there("out", name) {
			return "out"
		}
	}
	return "."
}

// way is what becomes of one request, as the JSON shows it.
type way struct {
	Method   string      `json:"method"`
	Host     string      `json:"host"`
	Path     string      `json:"path"`
	Entry    string      `json:"entrypoint,omitempty"`
	Closed   string      `json:"closed,omitempty"`
	Note     string      `json:"note,omitempty"`
	Tried    []triedJSON `json:"tried"`
	Winner   string      `json:"winner"`
	Service  string      `json:"service"`
	Port     string      `json:"port"`
	Sees     string      `json:"sees"`
	Redirect string      `json:"redirect"`
	Refused  string      `json:"refused,omitempty"`
	Answer   string      `json:"answer,omitempty"`
	Unknown  string      `json:"unknown"`

	tie []string
}

type triedJSON struct {
	Router   string `json:"router"`
	Priority int    `json:"priority"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Matched  bool   `json:"matched"`
	Why      string `json:"why"`
}

func newWay(dir string, res route.Result) *way {
	w := &way{Tried: []triedJSON{}, Unknown: res.Unknown, Entry: res.Entry, Closed: res.Closed, Note: res.Note}
	for _, t := range res.Tried {
		pos := posIn(dir, t.Router.Site)
		w.Tried = append(w.Tried, triedJSON{t.Router.Name, t.Router.Priority, pos.File, pos.Line, t.Matched, t.Why})
	}
	for _, r := range res.Tie {
		w.tie = append(w.tie, r.Name)
	}
	switch {
	case w.tie != nil:
		w.Unknown = fmt.Sprintf("a random one of these routers wins, for they have one priority: %s", strings.Join(w.tie, ", "))
		return w
	case res.Router == nil:
		return w
	}
	w.Winner, w.Redirect, w.Refused, w.Answer = res.Router.Name, res.Redirect, res.Refused, res.Answer
	if w.Redirect == "" && w.Refused == "" && res.Router.To != nil {
		if res.Backend == nil {
			w.Unknown = cmp.Or(w.Unknown, fmt.Sprintf("service %q has no server", res.Router.Service))
			return w
		}
		w.Service, w.Port, w.Sees = res.Backend.Container, res.Backend.Port, res.Path
	}
	return w
}

// mask hides the secrets of the labels: a middleware may hold some.
func (w *way) mask(m *finding.Mask) {
	for i := range w.Tried {
		w.Tried[i].Router, w.Tried[i].Why = m.Text(w.Tried[i].Router), m.Text(w.Tried[i].Why)
	}
	for _, s := range []*string{&w.Winner, &w.Service, &w.Port, &w.Sees, &w.Redirect, &w.Refused, &w.Answer, &w.Unknown} {
		*s = m.Text(*s)
	}
}

func (w *way) text(st style, problems []string) string {
	var b strings.Builder
	section := func(title string, lines ...string) { st.section(&b, title, lines...) }
	fmt.Fprintf(&b, "%s\n", st.Bold(output.Clean(w.Method+" https://"+w.Host+w.Path)))
	if w.Entry != "" {
		section("entrypoint", output.Clean(w.Entry))
	}
	if w.Note != "" {
		section("entrypoint", st.yellow("any")+"  "+output.Clean(w.Note))
	}
	if w.Closed != "" {
		section("winner", st.red("none")+"  "+output.Clean(w.Closed))
		return b.String()
	}
	section("tried", w.triedLines(st)...)
	switch {
	case w.tie != nil:
		section("winner", st.yellow("random")+"  "+output.Clean(w.Unknown))
	case w.Winner != "":
		section("winner", st.green(output.Clean(w.Winner)))
		if w.Unknown != "" {
			section("unknown", st.yellow(output.Clean(w.Unknown)))
		}
	case w.Unknown != "":
		section("winner", st.yellow("unknown")+"  "+output.Clean(w.Unknown))
	default:
		section("winner", st.red("none")+"  no router takes the request")
	}
	if w.Redirect != "" {
		section("redirect", output.Clean(w.Redirect))
	}
	if w.Answer != "" {
		section("answer", output.Clean(w.Answer))
	}
	if w.Refused != "" {
		section("refused", st.red(output.Clean(w.Refused)))
	}
	if w.Service != "" {
		port := ":" + w.Port
		if w.Port == "" {
			port = " at the lowest port that its image exposes"
		}
		section("sees", output.Clean(w.Service+port+"  "+w.Sees))
	}
	section("problems", problems...)
	return b.String()
}

func (w *way) triedLines(st style) []string {
	if len(w.Tried) == 0 {
		return []string{"no router"}
	}
	var names, places []string
	name, place, priority := 0, 0, 0
	for _, t := range w.Tried {
		names = append(names, output.Clean(t.Router))
		places = append(places, output.Clean(fmt.Sprintf("%s:%d", t.File, t.Line)))
		name, place = max(name, utf8.RuneCountInString(names[len(names)-1])), max(place, utf8.RuneCountInString(places[len(places)-1]))
		priority = max(priority, len(fmt.Sprint(t.Priority)))
	}
	var lines []string
	for i, t := range w.Tried {
		said := "no      "
		switch {
		case t.Matched:
			said = st.green("matches ")
		case w.Winner == "" && w.Unknown != "" && i == len(w.Tried)-1: // the one on which all depends
			said = st.yellow("unknown ")
		}
		line := fmt.Sprintf("%*d  %-*s  %-*s  %s %s", priority, t.Priority, name, names[i], place, places[i], said, output.Clean(t.Why))
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}

// problemLines tells the problems of the routers tried and of the containers that they belong to.
func problemLines(dir string, table *route.Table, res route.Result, mask *finding.Mask) []string {
	var lines []string
	for _, p := range table.Problems {
		if !slices.ContainsFunc(res.Tried, func(t route.Attempt) bool {
			return p.Router == t.Router.Name || p.Router == "" && p.Container == t.Router.Container
		}) {
			continue
		}
		line := fmt.Sprintf("%s [%s]", p.Message, p.Kind)
		if len(p.Sites) > 0 {
			pos := posIn(dir, p.Sites[0])
			line = fmt.Sprintf("%s:%d: %s", pos.File, pos.Line, line)
		}
		lines = append(lines, output.Clean(mask.Text(line)))
	}
	return lines
}

// posIn is the place of a site, relative to where the user stands.
func posIn(dir string, site source.Site) source.Pos {
	pos := site.Pos
	if pos.File != "" {
		pos.File = path.Join(filepath.ToSlash(dir), pos.File)
	}
	return pos
}
