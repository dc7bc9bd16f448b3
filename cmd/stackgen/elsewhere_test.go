package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/report"
)

// What a pull request has `validate` read, it could have it print: a program that takes a value apart names a part of it,
// which is not the value that is hidden. So a file elsewhere on the machine is not read at all, and of one in the
// repository no part is shown.
func TestValidateReadsNothingElsewhere(t *testing.T) {
	outside := t.TempDir()
	put(t, filepath.Join(outside, "token"), "zebra-half-1:zebra-half-2@sha256:zebra-half-3/zebra-half-4")
	put(t, filepath.Join(outside, "secrets.yaml"), "x.y: zebra-half-5:zebra-half-6\nzebra.name: x\n")
	repository(t, "README.md", "x\n")
	if err := os.Symlink(filepath.Join(outside, "token"), "link"); err != nil {
		t.Fatal(err)
	}
	put(t, "token", "zebra-half-1:zebra-half-2@sha256:zebra-half-3/zebra-half-4")
	for _, file := range []string{filepath.Join(outside, "token"), "link", "token", ""} {
		from := "secrets: {from: {x.y: {file: " + file + "}}}\n"
		if file == "" {
			from = ""
			if err := os.Symlink(filepath.Join(outside, "secrets.yaml"), "secrets.yaml"); err != nil {
				t.Fatal(err)
			}
		}
		for _, extra := range []string{
			"services: {z: {image: x:1, ports: [{secret: x.y}]}}",
			"services: {z: {image: {secret: x.y}, container_name: {secret: x.y}, user: {secret: x.y}, volumes: [{secret: x.y}]}}",
			"services: {z: {image: x:1, deploy: {resources: {limits: {memory: {secret: x.y}}}}, expose: [{secret: x.y}]}}",
			"services: {z: {image: x:1, networks: [{secret: x.y}], depends_on: [{secret: x.y}], links: [{secret: x.y}]}}",
			"services: {z: {image: x:1, command: {secret: x.y}, labels: [{secret: x.y}], environment: [{secret: x.y}], restart: {secret: x.y}, stop_grace_period: {secret: x.y}}}",
			"networks: {n: {ipam: {config: [{subnet: {secret: x.y}}]}}}",
		} {
			put(t, "stack.yaml", "version: 1\nserver_name: example.org\nauth: {passwords: true}\n"+from+"compose:\n  extra:\n    "+extra+"\n")
			for _, format := range report.Formats[:2] {
				var out, talk strings.Builder
				run(t.Context(), []string{"validate", "--format", format}, strings.NewReader(""), &out, &talk)
				if text := out.String() + talk.String(); strings.Contains(text, "zebra") {
					at := strings.Index(text, "zebra")
					t.Errorf("%q, %s: …%s…", file, extra, text[max(0, at-100):min(len(text), at+40)])
				}
			}
			if list, _ := stackgen(t, 0, "secrets", "list"); file != "" && !strings.Contains(list, "file "+file) {
				t.Errorf("secrets list does not know %q", file)
			}
		}
	}
}

// A directory of the repository that is a link out of it is none of the pull request's business.
func TestCheckLooksNotElsewhere(t *testing.T) {
	outside := t.TempDir()
	put(t, filepath.Join(outside, "docker-compose.yml"), "services: {zebra: {image: \"x:latest\", ports: [zebra]}}\n")
	repository(t, "README.md", "x\n")
	if err := os.Symlink(outside, "deploy"); err != nil {
		t.Fatal(err)
	}
	out, talk := stackgen(t, exitFailed, "check", "deploy")
	if strings.Contains(out+talk, "zebra") || !strings.Contains(talk, "deploy is a symbolic link that leads out of the repository") {
		t.Errorf("%s%s", out, talk)
	}
	if err := os.Mkdir("stack", 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, "stack/docker-compose.yml", "services: {a: {image: \"x:1.0\"}}\n")
	if err := os.Symlink("stack", "link"); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"link", outside} { // read; that nothing of Matrix stands there is said, and no success
		if out, talk := stackgen(t, exitFindings, "check", dir); !strings.Contains(out, "only what Compose is told") {
			t.Errorf("%s is not read: %s%s", dir, out, talk)
		}
	}
}
