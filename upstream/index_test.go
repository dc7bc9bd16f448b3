package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/component"
)

// An index that knows no JSON has the same in HTML.
func TestHTMLIndex(t *testing.T) {
	const page = `<html><body><h1>Links</h1>
<a href="../../files/a-1.0.tar.gz#sha256=abc" data-requires-python="&gt;=3.9">a-1.0.tar.gz</a><br/>
<a data-yanked="broken" href="https://files.example.org/a-1.1.tar.gz?x=1&amp;y=2">
a-1.1.tar.gz</a><a name="nothing">a</a>`
	got, err := distributions("https://user:word@pypi.example.org/simple/a/", "text/html", []byte(page))
	want := []distribution{
		{Name: "a-1.0.tar.gz", URL: "https://user:word@pypi.example.org/files/a-1.0.tar.gz", Hashes: map[string]string{"sha256": "abc"}, Yanked: false},
		{Name: "a-1.1.tar.gz", URL: "https://files.example.org/a-1.1.tar.gz?x=1&y=2", Yanked: true}, // another host learns no password
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestSdistVersion(t *testing.T) {
	for file, want := range map[string]string{
		"matrix_synapse-1.2.3.tar.gz":                  "1.2.3",
		"matrix-synapse-1.2.3.tar.gz":                  "1.2.3",
		"Matrix.Synapse-1.10.tar.gz":                   "1.10",
		"matrix_synapse-1.2.3rc1.tar.gz":               "",
		"matrix_synapse-1.2.3.post1.tar.gz":            "",
		"matrix_synapse-1.2.3-cp39-x86_64.whl":         "",
		"matrix_synapse_extra-1.2.3.tar.gz":            "",
		"matrix_synapse-1.2.3.zip":                     "",
		"matrix_synapse.tar.gz":                        "",
		"matrix_synapse-1.99999999999999999999.tar.gz": "",
	} {
		got, ok := sdistVersion("matrix-synapse", file)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
}

func TestNewest(t *testing.T) {
	if got := newest(map[string]int{"1.9.0": 0, "1.10": 0, "1.10.0": 0, "0.99.9": 0}); got != "1.10.0" {
		t.Error(got)
	}
}

// What the tables of the repository know, and no more.
func TestKnows(t *testing.T) {
	list, err := programs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, key string
		want      bool
	}{
		{"synapse", "server_name", true},
		{"synapse", "listeners[].resources[].names", true},
		{"synapse", "listeners[].resources[].name_of_it", false},
		{"synapse", "database.args.anything", true},
		{"synapse", "server_names", false},
		{"mautrix-go", "bridge.permissions.@a:b", true},
		{"mautrix-go", "bridge.relay.enabled", true},
		{"mautrix-go", "bridge.relay.enabled.more", false},
		{"mautrix-go", "bridge.view_limited_media", true},
		{"signal", "sync_contacts_on_startup", true},
		{"signal", "os_name", false},
	} {
		for _, p := range list {
			if p.name != tt.name {
				continue
			}
			table, err := p.known("..")
			if err != nil {
				t.Fatal(err)
			}
			if got := knows(table, strings.Split(tt.key, ".")); got != tt.want {
				t.Errorf("%s knows %s: %v", tt.name, tt.key, got)
			}
		}
	}
}

// Every program that stackgen knows is asked for, but for one in the images of another.
func TestProgramsAreAll(t *testing.T) {
	list, err := programs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range component.All {
		asked := slices.ContainsFunc(list, func(p program) bool { return p.name == string(c.Program) && p.hand != "" })
		if asked == (c.TagPrefix != "") {
			t.Errorf("%s is asked for: %v", c.Program, asked)
		}
	}
	src, err := os.ReadFile(filepath.Join("..", appservices))
	if err != nil {
		t.Fatal(err)
	}
	images := regexp.MustCompile(`(?m)^    image: (.+)$`).FindAllStringSubmatch(string(src), -1)
	if len(images) < 3 {
		t.Errorf("%s has %d images", appservices, len(images))
	}
	for _, image := range images {
		asked := slices.ContainsFunc(list, func(p program) bool { return strings.HasPrefix(pins[p.name].before, image[1]+"\n") })
		if !asked {
			t.Errorf("%s of %s is not asked for", image[1], appservices)
		}
	}
}
