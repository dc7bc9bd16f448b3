package compose_test

import (
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/deployment/compose"
)

// The name of a project is written down, or that of its directory as Compose makes it; so are its networks called.
func TestProjectName(t *testing.T) {
	for name, tt := range map[string]struct {
		dir, file, env, want string
		named                bool
	}{
		"its own":       {dir: "srv", file: "name: chat\n", want: "chat", named: true},
		"of .env":       {dir: "srv", file: "name: chat\n", env: "COMPOSE_PROJECT_NAME=other\n", want: "other", named: true},
		"the directory": {dir: "My Matrix.Stack", want: "mymatrixstack"},
		"not known":     {want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, findings := compose.OpenWith(fstest.MapFS{
				"compose.yaml": {Data: []byte(tt.file + "services: {a: {image: b, networks: [web]}}\nnetworks: {web: {}}\n")},
				".env":         {Data: []byte(tt.env)},
			}, compose.Options{Name: tt.dir})
			if len(findings) > 0 {
				t.Fatal(findings)
			}
			network := tt.want + "_web"
			if tt.want == "" {
				network = "<project>_web"
			}
			if got, _ := d.NetworkName("web"); got != network || d.Project != tt.want || d.NameGiven != tt.named {
				t.Errorf("project %q, named %v, network %q; want %q, %v, %q", d.Project, d.NameGiven, got, tt.want, tt.named, network)
			}
		})
	}
}
