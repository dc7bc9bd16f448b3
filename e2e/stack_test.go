package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

const (
	serverName = "philipp.info"
	publicHost = "matrix.philipp.info"
	project    = "matrix"
	ingress    = "traefik-ingress"
)

// proxyOverlay adds the stand-in for Traefik to the rendered services; it changes none of them. In the
// stack's network it has the public names, which elsewhere come from DNS.
const proxyOverlay = `services:
  proxy:
    image: stackgen-e2e/proxy:local
    volumes: ["./docker-compose.yml:/stack/docker-compose.yml:ro"]
    networks:
      stack: {aliases: [` + publicHost + `, ` + serverName + `]}
      ingress: {}
`

// fromOutside are the secrets that stackgen does not make, as obvious fakes.
var fromOutside = map[string]string{
	"auth.upstream.keycloak.client_secret": "fake-client-secret-of-the-e2e-test",
	"backup.heartbeat_url":                 "https://uptime.philipp.info/api/push/fake",
	"bridges.telegram.api_hash":            "0123456789abcdef0123456789abcdef",
	"bridges.telegram.api_id":              "4242424",
}

// stack is one rendered stack, with the spec that it comes from.
type stack struct {
	root    string // has stack.yaml, secrets.yaml and the overlay
	dir     string // what was rendered
	secrets map[string]string
	super   string // the superuser of the cluster; "" is postgres
}

// newStack renders the spec with the stackgen of this tree, secrets and all, and takes whatever runs of the
// stack down when the test ends.
func newStack(t *testing.T, spec string) *stack {
	t.Helper()
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &stack{root: root, dir: filepath.Join(root, "out")}
	if err := os.WriteFile(filepath.Join(root, "proxy.yml"), []byte(proxyOverlay), 0o600); err != nil {
		t.Fatal(err)
	}
	s.render(t, spec)
	if _, err := docker.docker("network", "inspect", ingress); err != nil {
		if _, err := docker.docker("network", "create", ingress); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			s.dump(t)
		}
		s.down(t, "--timeout", "5")
	})
	return s
}

// down stops and removes what runs of the stack. The engine now and then goes on counting the endpoint of a container that is
// gone ("has active endpoints"), and then keeps the network: it is told to let go, and the log says of whom. A network that
// stays even so is the engine's, as long as no container is left, and the next start takes it as it is.
func (s *stack) down(t *testing.T, args ...string) {
	t.Helper()
	args = append([]string{"down"}, args...)
	_, err := s.try(args...)
	if err != nil && strings.Contains(err.Error(), "has active endpoints") {
		name := project + "_stack"
		ends, inspect := docker.docker("network", "inspect", name, "--format", "{{range .Containers}}{{.Name}} {{end}}")
		t.Logf("the engine still counts endpoints of the network: %q, %v", ends, inspect)
		left, e := docker.docker("ps", "-a", "--filter", "network="+name, "--format", "{{.Names}} {{.Status}}")
		if e != nil || left != "" {
			t.Errorf("after docker compose down there are still, in its network: %s, %v", left, e)
		}
		for _, end := range strings.Fields(ends) {
			_, e := docker.docker("network", "disconnect", "-f", name, end)
			t.Logf("told it to let go of %s: %v", end, e)
		}
		if _, err = s.try(args...); err != nil && strings.Contains(err.Error(), "has active endpoints") {
			t.Logf("the network stays: %v", s.mask(err.Error()))
			return
		}
	}
	if err != nil {
		t.Error(s.mask(err.Error()))
	}
}

// render writes the spec and renders it.
func (s *stack) render(t *testing.T, spec string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.root, "stack.yaml"), []byte(spec), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(bin, "stackgen"), "render", "stack.yaml", "-o", "out")
	cmd.Dir, cmd.Env = s.root, os.Environ()
	for name, value := range fromOutside {
		cmd.Env = append(cmd.Env, "STACKGEN_SECRET_"+strings.ToUpper(strings.ReplaceAll(name, ".", "_"))+"="+value)
	}
	if _, err := output(cmd); err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(filepath.Join(s.root, "secrets.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(src, &tree); err != nil {
		t.Fatal(err)
	}
	s.secrets = maps.Clone(fromOutside)
	flatten(s.secrets, "", tree)
}

// flatten gathers the values of secrets.yaml by their dotted names.
func flatten(into map[string]string, prefix string, tree map[string]any) {
	for key, value := range tree {
		switch value := value.(type) {
		case map[string]any:
			flatten(into, prefix+key+".", value)
		case string:
			into[prefix+key] = value
		}
	}
}

// mask takes secrets out of what a program said.
func (s *stack) mask(text string) string {
	for _, value := range slices.SortedFunc(maps.Values(s.secrets), func(a, b string) int { return len(b) - len(a) }) {
		if len(value) >= 8 {
			text = strings.ReplaceAll(text, value, "***")
		}
	}
	return text
}

// try runs Docker Compose on the file that it takes by itself, and the overlay where there is one.
func (s *stack) try(args ...string) (string, error) {
	all := []string{"--ansi", "never", "--progress", "quiet"}
	for _, name := range []string{filepath.Join(s.dir, "compose.yaml"), filepath.Join(s.dir, "docker-compose.yml"), filepath.Join(s.root, "proxy.yml")} {
		if _, err := os.Stat(name); err == nil && (len(all) < 5 || filepath.Dir(name) == s.root) {
			all = append(all, "-f", name)
		}
	}
	return docker.run(filepath.Join(bin, "docker-compose"), nil, append(all, args...)...)
}

// compose is try for what has to work.
func (s *stack) compose(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.try(args...)
	if err != nil {
		t.Errorf("%v", s.mask(err.Error()))
	}
	return out
}

// up starts what is not running and waits until all is well: every service runs, is healthy where it has a
// check, was never restarted, and the one-shot service succeeded.
func (s *stack) up(t *testing.T) {
	t.Helper()
	start := time.Now()
	if _, err := s.try("up", "-d", "--no-build", "--pull", "never"); err != nil {
		t.Fatal(s.mask(err.Error()))
	}
	s.settle(t)
	t.Logf("up and healthy after %.0f s", time.Since(start).Seconds())
}

// settle waits until all is well.
func (s *stack) settle(t *testing.T) {
	t.Helper()
	want := strings.Fields(s.compose(t, "config", "--services"))
	var why string
	ok := within(4*time.Minute, func() bool {
		why = s.unwell(t, want)
		return why == ""
	})
	if !ok {
		t.Fatalf("the stack does not come up: %s", why)
	}
}

// unwell says what is wrong with the running stack.
func (s *stack) unwell(t *testing.T, want []string) string {
	t.Helper()
	by := s.containers(t)
	for _, name := range want {
		c, ok := by[name]
		switch {
		case !ok:
			return name + " has no container"
		case name == "db-init":
			if c.State.Status != "exited" || c.State.ExitCode != 0 {
				return fmt.Sprintf("%s is %s with exit code %d", name, c.State.Status, c.State.ExitCode)
			}
		case c.State.Status != "running":
			return name + " is " + c.State.Status
		case c.RestartCount > 0:
			return fmt.Sprintf("%s was restarted %d times", name, c.RestartCount)
		case c.State.Health != nil && c.State.Health.Status != "healthy":
			return name + " is " + c.State.Health.Status
		}
	}
	return ""
}

// containers gives the containers of the stack by service.
func (s *stack) containers(t *testing.T) map[string]container {
	t.Helper()
	list, err := docker.containers(project)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]container{}
	for _, c := range list {
		by[c.service()] = c
	}
	return by
}

// logs gives what a service said, masked.
func (s *stack) logs(t *testing.T, service string) string {
	t.Helper()
	out, err := s.try("logs", "--no-log-prefix", "--no-color", service)
	if err != nil {
		t.Fatal(err)
	}
	return s.mask(out)
}

// dump shows the end of every service's log.
func (s *stack) dump(t *testing.T) {
	t.Helper()
	for name, c := range s.containers(t) {
		out, err := s.try("logs", "--no-log-prefix", "--no-color", "--tail", "25", name)
		if err != nil {
			out = err.Error()
		}
		health := ""
		if c.State.Health != nil {
			health = c.State.Health.Status
		}
		t.Logf("%s is %s %s, restarted %d times, exit code %d; it said last:\n%s", name, c.State.Status, health, c.RestartCount, c.State.ExitCode, s.mask(out))
	}
}

// sql asks a database as the superuser.
func (s *stack) sql(t *testing.T, database, query string) string {
	t.Helper()
	server := "postgres"
	if _, ok := s.containers(t)[server]; !ok {
		server = "db" // what it is called in byhand
	}
	out, err := s.try("exec", "-T", server, "psql", "-X", "-q", "-A", "-t", "-U", cmp.Or(s.super, "postgres"), "-d", database, "-c", query)
	if err != nil {
		t.Fatal(s.mask(err.Error()))
	}
	return strings.TrimSpace(out)
}

// address is where a service can be reached from here, by its name or through a network of the stack.
func (s *stack) address(t *testing.T, service string) string {
	t.Helper()
	c, ok := s.containers(t)[service]
	if !ok {
		t.Fatalf("%s has no container", service)
	}
	return c.NetworkSettings.Networks[c.network()].IPAddress
}

// read gives a rendered file.
func (s *stack) read(t *testing.T, path string) []byte {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(s.dir, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// within tries until it works or the time is up.
func within(limit time.Duration, works func() bool) bool {
	for deadline := time.Now().Add(limit); ; time.Sleep(500 * time.Millisecond) {
		if works() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}
