package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"philipp.info/stackgen/pkg/component"
)

// suite is the Debian release that every image is made of.
const suite = "bookworm"

// The versions that can be had: of WhatsApp, v0.2608.0 is no module, of LinkedIn v0.2605.0. Slack's bridge is one, but not
// the fork of slack-go that it is built with.
const (
	whatsappVersion = "v0.2607.0"
	linkedinVersion = "v0.2604.0"
	telegramVersion = "v0.15.3"
)

var debootstrap = []string{"--variant=minbase", "--include=python3,python3-pip,curl,ca-certificates", suite}

// oldestSynapse is the tag of the oldest Synapse that stackgen renders for.
var oldestSynapse = "v" + component.Of(component.Synapse).Oldest.String()

// build is one image: its name, the stage of images/Dockerfile, and the build arguments.
type build struct {
	ref   string
	stage string
	args  []string
}

func builds() []build {
	synapse := component.Of(component.Synapse).Tested
	return []build{
		{component.Of(component.Postgres).Tested.String(), "postgres", nil},
		{component.Of(component.WhatsApp).Tested.Repository + ":" + whatsappVersion, "whatsapp", nil},
		{component.Of(component.LinkedIn).Tested.Repository + ":" + linkedinVersion, "linkedin", nil},
		{component.Of(component.Signal).Tested.String(), "signal", nil},
		{component.Of(component.Meta).Tested.String(), "meta", nil},
		{component.Of(component.Discord).Tested.String(), "discord", nil},
		{component.Of(component.MAS).Tested.String(), "mas", nil},
		{"stackgen-e2e/proxy:local", "proxy", nil},
		{"stackgen-e2e/client:local", "client", nil},
		{"docker.io/library/caddy:2.11", "caddy", nil},
		{component.Of(component.HAProxy).Tested.String(), "haproxy", nil},
		{component.Of(component.Valkey).Tested.String(), "valkey", nil},
		{component.Of(component.Telegram).Tested.Repository + ":" + telegramVersion, "telegram", nil},
		{component.Of(component.Telegram).Tested.String(), "telegram-go", nil},
		{synapse.String(), "synapse", []string{"SYNAPSE=" + strings.TrimPrefix(synapse.Tag, "v")}},
		// PyPI's newer prometheus_client has classes that this Synapse cannot inherit from; its image has
		// the client of its time.
		{synapse.Repository + ":" + oldestSynapse, "synapse", []string{"SYNAPSE=" + strings.TrimPrefix(oldestSynapse, "v"), "CONSTRAINT=prometheus-client<0.23"}},
	}
}

// programs are the Go programs of the test: where their module is, what they are called, and the package.
var programs = []struct{ module, name, pkg, ldflags string }{
	{"..", "stackgen", "./cmd/stackgen", ""},
	{".", "mas", "./standin/mas", ""},
	{".", "discord", "./standin/discord", ""},
	{".", "proxy", "./standin/proxy", ""},
	{".", "bridgev2", "./standin/bridgev2", ""},
	{"compose", "docker-compose", "github.com/docker/compose/v5/cmd", " -X github.com/docker/compose/v5/internal.Version=v5.6.0"},
	{"caddy", "caddy", ".", ""},
	{"bridges", "mautrix-whatsapp", "go.mau.fi/mautrix-whatsapp/cmd/mautrix-whatsapp", ""},
	{"bridges", "mautrix-linkedin", "go.mau.fi/mautrix-linkedin/cmd/mautrix-linkedin", ""},
}

// buildPrograms builds the Go programs into cache/context/bin. The bridges need cgo, for SQLite.
func buildPrograms(cache string) error {
	for _, p := range programs {
		start := time.Now()
		cmd := exec.Command("go", "build", "-trimpath", "-tags", "goolm", "-ldflags", "-s -w"+p.ldflags,
			"-o", filepath.Join(cache, "context", "bin", p.name), p.pkg)
		cmd.Dir = p.module
		if _, err := output(cmd); err != nil {
			return err
		}
		step(start, "built %s", p.name)
	}
	return nil
}

// installBorgmatic puts what requirements.txt names into cache/borgmatic, unless it is there.
func installBorgmatic(cache string) error {
	const list = "requirements.txt"
	want, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	dir := filepath.Join(cache, "borgmatic")
	if got, err := os.ReadFile(filepath.Join(dir, list)); err == nil && string(got) == string(want) {
		return nil
	}
	start := time.Now()
	if _, err := output(exec.Command("python3", "-m", "venv", "--clear", dir)); err != nil {
		return err
	}
	if _, err := output(exec.Command(filepath.Join(dir, "bin", "pip"), "install", "-q", "--disable-pip-version-check", "-r", list)); err != nil {
		return err
	}
	step(start, "installed borgmatic")
	return os.WriteFile(filepath.Join(dir, list), want, 0o600)
}

// base makes the image that all others start from, unless the cache has it, and gives its name. The
// machine's certificates go along, so that pip reaches inside what it reaches outside.
func (e *engine) base(cache string) (string, error) {
	sum := sha256.Sum256([]byte(strings.Join(debootstrap, " ")))
	ref := "stackgen-e2e/debian:" + hex.EncodeToString(sum[:6])
	if _, err := e.docker("image", "inspect", ref); err == nil {
		return ref, nil
	}
	start := time.Now()
	root := filepath.Join(cache, "debian")
	if err := os.RemoveAll(root); err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(root) }()
	if _, err := output(exec.Command("debootstrap", append(slices.Clip(debootstrap), root)...)); err != nil {
		return "", err
	}
	const certs, pip = "/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf"
	for _, path := range []string{certs, pip} {
		if src, err := os.ReadFile(path); err == nil {
			if err := os.WriteFile(root+path, src, 0o644); err != nil {
				return "", err
			}
		}
	}
	tarball := root + ".tar"
	defer func() { _ = os.Remove(tarball) }()
	if _, err := output(exec.Command("tar", "-C", root, "--exclude=./var/cache/apt/archives/*.deb", "-cf", tarball, ".")); err != nil {
		return "", err
	}
	_, err := e.docker("import", tarball, ref)
	step(start, "made Debian %s", suite)
	return ref, err
}

// buildImages makes every image. Docker's own build cache leaves out what is there already.
func (e *engine) buildImages(cache, base string, list []build) error {
	for _, b := range list {
		start := time.Now()
		args := []string{"build", "-q", "--network", "host", "--target", b.stage, "-t", b.ref, "--build-arg", "BASE=" + base}
		for _, arg := range b.args {
			args = append(args, "--build-arg", arg)
		}
		if _, err := e.docker(append(args, filepath.Join(cache, "context"))...); err != nil {
			return fmt.Errorf("image %s: %w", b.ref, err)
		}
		step(start, "made %s", b.ref)
	}
	return nil
}

// exported are the stages whose images e2e/kubernetes runs.
var exported = []string{"postgres", "whatsapp", "signal", "meta", "discord", "mas", "telegram", "haproxy", "valkey", "synapse"}

// export saves images of the newest versions into one archive, unless it has these already, and lays the certificates of the public hosts beside it.
func (e *engine) export(dir string) error {
	start := time.Now()
	var refs []string
	for _, b := range builds() {
		if slices.Contains(exported, b.stage) && !strings.HasSuffix(b.ref, ":"+oldestSynapse) {
			refs = append(refs, b.ref)
		}
	}
	ids, err := e.docker(append([]string{"image", "inspect", "--format", "{{.Id}} {{.RepoTags}}"}, refs...)...)
	if err != nil {
		return err
	}
	for _, name := range []string{"ca.crt", "tls.crt", "tls.key"} {
		src, err := os.ReadFile(filepath.Join(filepath.Dir(bin), name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), src, 0o600); err != nil {
			return err
		}
	}
	list := filepath.Join(dir, "stack.list")
	if old, err := os.ReadFile(list); err == nil && string(old) == ids {
		return nil
	}
	if _, err := e.docker(append([]string{"save", "-o", filepath.Join(dir, "stack.tar")}, refs...)...); err != nil {
		return err
	}
	step(start, "saved %d images", len(refs))
	return os.WriteFile(list, []byte(ids), 0o600)
}

// fillContext lays out what the Dockerfile copies, besides the programs.
func fillContext(cache string) error {
	files, err := filepath.Glob("images/*")
	if err != nil {
		return err
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		src, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		to := filepath.Join(cache, "context", filepath.Base(file))
		if err := os.WriteFile(to, src, info.Mode()); err != nil {
			return err
		}
	}
	return makeCertificates(filepath.Join(cache, "context"))
}

// makeCertificates makes a CA and the proxy's certificate for the public hosts, once.
func makeCertificates(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "tls.crt")); err == nil {
		return nil
	}
	keys := [2]*ecdsa.PrivateKey{}
	for i := range keys {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		keys[i] = key
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "stackgen e2e"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: publicHost}, DNSNames: []string{publicHost, serverName},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
	}
	key, err := x509.MarshalPKCS8PrivateKey(keys[1])
	if err != nil {
		return err
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, keys[0].Public(), keys[0])
	if err != nil {
		return err
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, keys[1].Public(), keys[0])
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name, kind string
		der        []byte
	}{{"ca.crt", "CERTIFICATE", caDER}, {"tls.key", "PRIVATE KEY", key}, {"tls.crt", "CERTIFICATE", leafDER}} {
		text := pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der})
		if err := os.WriteFile(filepath.Join(dir, f.name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}
