package check_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
)

// counting counts how often each file is opened.
type counting struct {
	fs.FS
	opened map[string]int
}

func (c counting) Open(name string) (fs.File, error) {
	c.opened[name]++
	return c.FS.Open(name)
}

func (c counting) Stat(name string) (fs.FileInfo, error) { return fs.Stat(c.FS, name) }

// Each .env is read once, however many ask for it, and what is wrong with one is told of that one.
func TestEnvironmentFiles(t *testing.T) {
	tree := counting{opened: make(map[string]int), FS: fstest.MapFS{
		".env":                   {Data: []byte("COMPOSE_FILE=sub/compose.yaml:sub/more.yaml\nA B=c\n")},
		"sub/.env":               {Data: []byte("IMAGE=alpine\nCOMPOSE_PARALLEL_LIMIT=many\nC D=e\n")},
		"sub/compose.yaml":       {Data: []byte("include: [other/compose.yaml]\nservices: {a: {image: \"${IMAGE}:3.22\"}}\n")},
		"sub/more.yaml":          {Data: []byte("services: {a: {command: [\"$NONE\"]}}\n")},
		"sub/other/.env":         {Data: []byte("TAG=3\n")},
		"sub/other/compose.yaml": {Data: []byte("services: {b: {image: \"alpine:${TAG}\"}}\n")},
	}}
	d, findings := compose.Open(tree)
	found, _ := check.Run(d, composego.Judge)
	for name, n := range tree.opened {
		if strings.HasSuffix(name, ".env") && n != 1 {
			t.Errorf("%s is read %d times", name, n)
		}
	}
	if len(tree.opened) < 6 {
		t.Errorf("only %v were opened", tree.opened)
	}
	var told []string
	for _, f := range append(findings, found...) {
		if f.Rule == "compose-environment" {
			told = append(told, f.Pos().String())
		}
	}
	if got := strings.Join(told, " "); got != ".env:2:0 sub/.env:2:0 sub/.env:3:0" {
		t.Errorf("told of %s", got)
	}
}
