package kubernetes

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// parts are the names by which the one program of Kubernetes is called.
var parts = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl"}

// missing says what the machine lacks for a run; nil when nothing.
func missing() error {
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		return errors.New("a cluster is started for the test, which needs Linux and root")
	}
	for _, p := range []struct{ program, from string }{
		{"containerd", "containerd"},
		{"runc", "runc"},
		{filepath.Join(plugins, "ptp"), "containernetworking-plugins"},
		{"nft", "nftables"},
		{"iptables", "iptables"},
		{"ipset", "ipset"},
		{"ip", "iproute2"},
		{"nsenter", "util-linux"},
	} {
		if _, err := exec.LookPath(p.program); err != nil {
			return fmt.Errorf("%s is not on this machine; Debian has it in the package %s", p.program, p.from)
		}
	}
	return nil
}

// plugins is where Debian keeps the CNI plugins.
const plugins = "/usr/lib/cni"

func bin(name string) string { return filepath.Join(cache, "bin", name) }

// buildPrograms builds what the modules below programs make into the cache. What was built of the same files is not built again, even where
// Go's own cache is gone: it is a quarter of an hour of a processor's work.
func buildPrograms() error {
	if err := os.MkdirAll(filepath.Join(cache, "bin"), 0o700); err != nil {
		return err
	}
	version, err := moduleVersion("programs", "k8s.io/kubernetes")
	if err != nil {
		return err
	}
	if err := build("programs", versionFlags(version), "./kube", "./dns", "./router", "./pause"); err != nil {
		return err
	}
	for _, name := range parts {
		_ = os.Remove(bin(name))
		if err := os.Symlink("kube", bin(name)); err != nil {
			return err
		}
	}
	return buildTraefik()
}

// build builds packages of the module in a directory, unless they are what was built last of it.
func build(dir, flags string, packages ...string) error {
	stamp, err := stampOf(dir)
	if err != nil {
		return err
	}
	built := filepath.Join(cache, filepath.Base(dir)+".built")
	if old, err := os.ReadFile(built); err == nil && string(old) == stamp {
		return nil
	}
	start := time.Now()
	cmd := exec.Command("go", append([]string{"build", "-trimpath", "-ldflags", "-s -w" + flags, "-o", filepath.Join(cache, "bin") + "/"}, packages...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if _, err := output(cmd); err != nil {
		return err
	}
	step(start, "built %s", strings.ReplaceAll(strings.Join(packages, " "), "./", ""))
	return os.WriteFile(built, []byte(stamp), 0o600)
}

// buildTraefik builds Traefik without the 180 services that can be asked for a DNS record, which are most of what it is made of: its go.mod
// reads the module that has them from a directory, which is made here.
func buildTraefik() error {
	const module, providers = "github.com/go-acme/lego/v5", "providers/dns"
	dir := filepath.Join(cache, "traefik")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.CopyFS(dir, os.DirFS("traefik")); err != nil {
		return err
	}
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = dir
	src, err := output(cmd)
	if err != nil {
		return err
	}
	var mod struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal([]byte(src), &mod); err != nil {
		return err
	}
	i := slices.IndexFunc(mod.Require, func(r struct{ Path, Version string }) bool { return r.Path == module })
	if i < 0 {
		return fmt.Errorf("traefik/go.mod does not require %s", module)
	}
	if src, err = output(exec.Command("go", "mod", "download", "-json", module+"@"+mod.Require[i].Version)); err != nil {
		return err
	}
	var got struct{ Dir string }
	if err := json.Unmarshal([]byte(src), &got); err != nil {
		return err
	}
	lego := filepath.Join(dir, "lego")
	if err := os.CopyFS(lego, os.DirFS(got.Dir)); err != nil {
		return err
	}
	list, err := os.ReadDir(filepath.Join(lego, providers))
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.IsDir() && e.Name() != "internal" {
			if err := os.RemoveAll(filepath.Join(lego, providers, e.Name())); err != nil {
				return err
			}
		}
	}
	const none = `package dns

import (
	"errors"

	"` + module + `/challenge"
)

// NewDNSChallengeProviderByName knows none.
func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {
	return nil, errors.New("no DNS provider " + name)
}
`
	if err := os.WriteFile(filepath.Join(lego, providers, "zz_gen_dns_providers.go"), []byte(none), 0o600); err != nil {
		return err
	}
	return build(dir, "", "github.com/traefik/traefik/v3/cmd/traefik")
}

// buildStackgen builds that of this tree.
func buildStackgen() error {
	cmd := exec.Command("go", "build", "-trimpath", "-o", bin("stackgen"), "./cmd/stackgen")
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	_, err := output(cmd)
	return err
}

// versionFlags tell Kubernetes its version, which as a module it does not know.
func versionFlags(version string) (flags string) {
	numbers := strings.Split(strings.TrimPrefix(version, "v"), ".")
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags += fmt.Sprintf(" -X %[1]s.gitVersion=%[2]s -X %[1]s.gitMajor=%[3]s -X %[1]s.gitMinor=%[4]s", pkg, version, numbers[0], numbers[1])
	}
	return flags
}

func moduleVersion(dir, module string) (string, error) {
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Version}}", module)
	cmd.Dir = dir
	return output(cmd)
}

// stampOf changes with every file of a module and with Go.
func stampOf(dir string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version())
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		src, err := os.ReadFile(path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(src), src)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

// output runs a command; the error has what it said last.
func output(cmd *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	text := strings.TrimRight(stdout.String(), "\n")
	if err != nil {
		said := strings.TrimSpace(stderr.String())
		if said == "" {
			said = text
		}
		if len(said) > 3000 {
			said = "…" + said[len(said)-3000:]
		}
		words := slices.DeleteFunc(slices.Clone(cmd.Args[1:]), func(w string) bool { return strings.HasPrefix(w, "-") })
		err = fmt.Errorf("%s %s: %w: %s", filepath.Base(cmd.Path), strings.Join(words[:min(len(words), 6)], " "), err, said)
	}
	return text, err
}
