package main

import (
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"philipp.info/stackgen/pkg/command"
)

// What is taken from a registry at most.
const (
	maxIndex   = 16 << 20
	maxArchive = 64 << 20
	timeout    = 60 * time.Second
)

// registries are the places that are asked: the public ones, unless the environment names others as pip, Maven and
// go read it. The go command itself asks for Go modules, so that GOPROXY and its kin count.
type registries struct {
	client      *http.Client
	pypi, maven string
}

func newRegistries(getenv func(string) string) *registries {
	r := &registries{client: &http.Client{Timeout: timeout}, pypi: "https://pypi.org/simple", maven: "https://repo1.maven.org/maven2"}
	if u := getenv("PIP_INDEX_URL"); u != "" {
		r.pypi = strings.TrimSuffix(u, "/")
	}
	if u := mavenMirror(filepath.Join(getenv("HOME"), ".m2/settings.xml")); u != "" {
		r.maven = strings.TrimSuffix(u, "/")
	}
	return r
}

// mavenMirror is the mirror of Maven Central in a settings.xml; empty without one.
func mavenMirror(path string) string {
	src, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	var settings struct {
		Mirrors []struct {
			Of  string `xml:"mirrorOf"`
			URL string `xml:"url"`
		} `xml:"mirrors>mirror"`
	}
	if xml.Unmarshal(src, &settings) != nil {
		return ""
	}
	for _, m := range settings.Mirrors {
		for of := range strings.SplitSeq(m.Of, ",") {
			if of = strings.TrimSpace(of); of == "*" || of == "central" || of == "external:*" {
				return m.URL
			}
		}
	}
	return ""
}

// release is one release of a program. open gives those of its files that match the patterns, by their paths.
type release struct {
	version string
	date    string // 2006-01-02, or empty
	open    func(ctx context.Context, patterns []string) (map[string][]byte, error)
}

// notThere is what a registry says that does not have the program, or does not hand it out.
type notThere struct{ error }

// get reads a page of at most limit bytes. The error names the address without user and password.
func (r *registries) get(ctx context.Context, address, accept string, limit int64) (body []byte, kind string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, "", errors.New("the address of a registry is no URL")
	}
	place := req.URL.Host + req.URL.Path
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	res, err := r.client.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return nil, "", fmt.Errorf("%s: %w", place, err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone, http.StatusForbidden:
		return nil, "", notThere{fmt.Errorf("%s: %s", place, res.Status)}
	default:
		return nil, "", fmt.Errorf("%s: %s", place, res.Status)
	}
	if body, err = io.ReadAll(io.LimitReader(res.Body, limit+1)); err != nil {
		return nil, "", fmt.Errorf("%s: %w", place, err)
	}
	if int64(len(body)) > limit {
		return nil, "", fmt.Errorf("%s: larger than %d MiB", place, limit>>20)
	}
	return body, res.Header.Get("Content-Type"), nil
}

// distribution is a file of a Python project.
type distribution struct {
	Name   string            `json:"filename"`
	URL    string            `json:"url"`
	Hashes map[string]string `json:"hashes"`
	Yanked any               `json:"yanked"` // false, true, or the reason
	Time   string            `json:"upload-time"`
}

// pypi gives releases of a Python project, out of its source distributions.
func pypi(project string) func(context.Context, *registries, string) (release, error) {
	return func(ctx context.Context, r *registries, version string) (release, error) {
		index := r.pypi + "/" + project + "/"
		body, kind, err := r.get(ctx, index, "application/vnd.pypi.simple.v1+json, text/html;q=0.5", maxIndex)
		if err != nil {
			return release{}, err
		}
		list, err := distributions(index, kind, body)
		if err != nil {
			return release{}, err
		}
		byVersion := make(map[string]distribution)
		for _, d := range list {
			if v, ok := sdistVersion(project, d.Name); ok && (d.Yanked == nil || d.Yanked == false || v == bare(version)) {
				byVersion[v] = d
			}
		}
		if version = bare(version); version == "" {
			version = newest(byVersion)
		}
		d, ok := byVersion[version]
		if !ok {
			return release{}, notThere{fmt.Errorf("%s/%s has no source distribution of %s", host(r.pypi), project, cmp.Or(version, "any release"))}
		}
		return release{version: version, date: day(d.Time), open: func(ctx context.Context, patterns []string) (map[string][]byte, error) {
			src, _, err := r.get(ctx, d.URL, "", maxArchive)
			if err != nil {
				return nil, err
			}
			if err := sameHash(src, d.Hashes["sha256"]); err != nil {
				return nil, fmt.Errorf("%s: %w", d.Name, err)
			}
			return untar(d.Name, src, patterns)
		}}, nil
	}
}

// sdistVersion is the version of a final release in the name of its source distribution.
func sdistVersion(project, file string) (string, bool) {
	normal := func(s string) string { return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(s)) }
	name, found := strings.CutSuffix(file, ".tar.gz")
	i := strings.LastIndexByte(name, '-')
	if !found || i < 0 || normal(name[:i]) != normal(project) {
		return "", false
	}
	_, final := numbers(name[i+1:])
	return name[i+1:], final
}

var (
	anchor   = regexp.MustCompile(`(?s)<a\s([^>]*)>\s*([^<]+?)\s*</a>`)
	hrefAttr = regexp.MustCompile(`href\s*=\s*["']([^"']*)["']`)
)

// distributions reads the page of a project, as JSON or as the HTML that older indexes have.
func distributions(index, kind string, body []byte) ([]distribution, error) {
	base, err := url.Parse(index)
	if err != nil {
		return nil, errors.New("the address of a registry is no URL")
	}
	var list []distribution
	if strings.Contains(kind, "json") {
		var page struct{ Files []distribution }
		if err := json.Unmarshal(body, &page); err != nil {
			return nil, fmt.Errorf("%s%s: %w", base.Host, base.Path, err)
		}
		list = page.Files
	} else {
		for _, m := range anchor.FindAllSubmatch(body, -1) {
			href := hrefAttr.FindSubmatch(m[1])
			if href == nil {
				continue
			}
			link, fragment, _ := strings.Cut(strings.ReplaceAll(string(href[1]), "&amp;", "&"), "#")
			d := distribution{Name: string(m[2]), URL: link, Yanked: strings.Contains(string(m[1]), "data-yanked")}
			if sum, ok := strings.CutPrefix(fragment, "sha256="); ok {
				d.Hashes = map[string]string{"sha256": sum}
			}
			list = append(list, d)
		}
	}
	for i, d := range list {
		if u, err := base.Parse(d.URL); err == nil {
			if u.Host == base.Host {
				u.User = base.User
			}
			list[i].URL = u.String()
		}
	}
	return list, nil
}

// maven gives the newest release of an artifact; nothing is read of it.
func maven(group, artifact string) func(context.Context, *registries, string) (release, error) {
	return func(ctx context.Context, r *registries, _ string) (release, error) {
		body, _, err := r.get(ctx, r.maven+"/"+strings.ReplaceAll(group, ".", "/")+"/"+artifact+"/maven-metadata.xml", "", maxIndex)
		if err != nil {
			return release{}, err
		}
		var page struct {
			Versions []string `xml:"versioning>versions>version"`
		}
		if err := xml.Unmarshal(body, &page); err != nil {
			return release{}, fmt.Errorf("%s: %s: %w", host(r.maven), artifact, err)
		}
		all := make(map[string]bool)
		for _, v := range page.Versions {
			if _, final := numbers(v); final {
				all[v] = true
			}
		}
		if len(all) == 0 {
			return release{}, fmt.Errorf("%s: %s has no release", host(r.maven), artifact)
		}
		return release{version: newest(all)}, nil
	}
}

// goModule gives releases of a Go module, by the go command.
func goModule(module string) func(context.Context, *registries, string) (release, error) {
	return func(ctx context.Context, _ *registries, version string) (release, error) {
		if version = "v" + bare(version); version == "v" {
			version = "latest"
		}
		out, err := goCommand(ctx, "list", "-m", "-json", module+"@"+version)
		if err != nil {
			return release{}, err
		}
		var m struct{ Version, Time string }
		if err := json.Unmarshal(out, &m); err != nil {
			return release{}, fmt.Errorf("go list %s@%s: %w", module, version, err)
		}
		return release{version: m.Version, date: day(m.Time), open: func(ctx context.Context, patterns []string) (map[string][]byte, error) {
			out, err := goCommand(ctx, "mod", "download", "-json", module+"@"+m.Version)
			if err != nil {
				return nil, err
			}
			var got struct{ Dir string }
			if err := json.Unmarshal(out, &got); err != nil {
				return nil, fmt.Errorf("go mod download %s@%s: %w", module, m.Version, err)
			}
			return undir(got.Dir, patterns)
		}}, nil
	}
}

var absent = regexp.MustCompile(`(404 Not Found|410 Gone|403 Forbidden|no matching versions for query|unknown revision)`)

// goCommand runs go, which keeps what it loads in its own cache.
func goCommand(ctx context.Context, args ...string) ([]byte, error) {
	out, err := command.Command{Argv: append([]string{"go"}, args...), Env: append(os.Environ(), "GOWORK=off")}.Output(ctx, maxIndex)
	if exit, ok := errors.AsType[*command.ExitError](err); ok {
		said := exit.Stderr
		if said == "" {
			said = string(out)
		}
		first, _, _ := strings.Cut(strings.TrimSpace(said), "\n")
		err = errors.New(strings.TrimPrefix(first, "go: "))
		if m := absent.FindString(said); m != "" {
			return nil, notThere{fmt.Errorf("%s: %s", args[len(args)-1], m)}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return out, nil
}

// numbers are those of a version; final is false for a release candidate, or what is no version.
func numbers(version string) (n []int, final bool) {
	for part := range strings.SplitSeq(version, ".") {
		i, err := strconv.Atoi(part)
		if err != nil {
			return n, false
		}
		n = append(n, i)
	}
	return n, true
}

// older orders two versions.
func older(a, b string) bool {
	m, _ := numbers(bare(a))
	n, _ := numbers(bare(b))
	return slices.Compare(m, n) < 0
}

// newest is the highest version among the keys.
func newest[T any](of map[string]T) (best string) {
	for v := range of {
		if best == "" || older(best, v) {
			best = v
		}
	}
	return best
}

func host(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Host
	}
	return "the registry"
}

func day(t string) string {
	if len(t) < len(time.DateOnly) {
		return ""
	}
	return t[:len(time.DateOnly)]
}
