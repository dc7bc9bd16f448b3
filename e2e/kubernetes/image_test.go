package kubernetes

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

const (
	pauseImage = "localhost/pause:1"
	dnsImage   = "localhost/dns:1"
)

// makeImages makes the images of the cluster's own programs.
func makeImages() error {
	if err := os.MkdirAll(filepath.Join(cache, "images"), 0o700); err != nil {
		return err
	}
	for program, ref := range map[string]string{"pause": pauseImage, "dns": dnsImage, "traefik": proxyImage} {
		if err := makeImage(program, ref); err != nil {
			return err
		}
	}
	return nil
}

// load brings the images of the stack's programs into the cluster, which are those that e2e makes with Docker, with the certificates of the
// public hosts beside them. containerd keeps them from run to run; the archive of those that it has not yet is removed once it has.
func (c *cluster) load(t *testing.T) {
	t.Helper()
	if loaded {
		return
	}
	start := time.Now()
	if err := os.MkdirAll(stackDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-tags", "goolm", "-count=1", "-timeout", "45m", "-run", "^$", ".", "-export", stackDir())
	cmd.Dir = ".."
	if _, err := output(cmd); err != nil {
		t.Fatal(err)
	}
	step(start, "have the images of the stack")
	loaded = true
	tar := filepath.Join(stackDir(), "stack.tar")
	if _, err := os.Stat(tar); errors.Is(err, os.ErrNotExist) {
		return
	}
	start = time.Now()
	if _, err := output(c.command(t.Context(), "ctr", "-n", "k8s.io", "image", "import", "--digests=false", tar)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(tar); err != nil {
		t.Fatal(err)
	}
	step(start, "loaded them")
}

// stackDir is where e2e lays what the cluster needs of it, with a list of the images: beside containerd's copies, so that both go together.
func stackDir() string { return filepath.Join(cache, "containerd", "stack") }

// loaded: the cluster has them already.
var loaded bool

// makeImage writes an image of one static program, as docker save does.
func makeImage(program, ref string) error {
	src, err := os.ReadFile(bin(program))
	if err != nil {
		return err
	}
	layer, err := archive(file{program, src})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(layer)
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/" + program}, "User": "65532"},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(sum[:])}},
	})
	if err != nil {
		return err
	}
	manifest, err := json.Marshal([]any{map[string]any{"Config": "config.json", "RepoTags": []string{ref}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return err
	}
	image, err := archive(file{"config.json", config}, file{"layer.tar", layer}, file{"manifest.json", manifest})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(cache, "images", program+".tar"), image, 0o600)
}

type file struct {
	name string
	src  []byte
}

func archive(files ...file) ([]byte, error) {
	var all bytes.Buffer
	w := tar.NewWriter(&all)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o755, Size: int64(len(f.src))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.src); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return all.Bytes(), err
}
