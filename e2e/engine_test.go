package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// engine is a Docker Engine of our own: its files in a cache, so that images are made once, its socket in a
// directory of this run, and no part in an engine or firewall that the machine has already.
type engine struct {
	dir  string
	cmd  *exec.Cmd
	done chan error
	end  sync.Once
}

// missing says what the machine lacks for a run; nil when nothing.
func missing() error {
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		return errors.New("a Docker Engine is started for the test, which needs Linux and root")
	}
	for _, p := range []struct{ program, from string }{
		{"dockerd", "docker.io"}, {"docker", "docker.io"}, {"debootstrap", "debootstrap"}, {"gcc", "gcc"}, {"borg", "borgbackup"}, {"python3", "python3-venv"},
	} {
		if _, err := exec.LookPath(p.program); err != nil {
			return fmt.Errorf("%s is not on this machine; Debian has it in the package %s", p.program, p.from)
		}
	}
	return nil
}

// network is where an engine's bridges are: images are built in the machine's network, because they need
// the package registries, and the stack runs in a network namespace that has no way out.
type network uintptr

const (
	machineNetwork network = 0
	ownNetwork     network = syscall.CLONE_NEWNET
)

// startEngine starts dockerd with its data below cache and waits until it answers.
func startEngine(cache string, in network) (e *engine, err error) {
	dir, err := os.MkdirTemp("", "stackgen-e2e-")
	if err != nil {
		return nil, err
	}
	e = &engine{dir: dir, done: make(chan error, 1)}
	logFile, err := os.Create(filepath.Join(cache, "dockerd.log"))
	if err != nil {
		return nil, err
	}
	defer logFile.Close()
	empty := filepath.Join(dir, "daemon.json") // not the machine's /etc/docker/daemon.json
	if err := os.WriteFile(empty, []byte("{}"), 0o600); err != nil {
		return nil, err
	}
	e.cmd = exec.Command("dockerd", "--config-file", empty,
		"--data-root", filepath.Join(cache, "docker"), "--exec-root", filepath.Join(dir, "exec"),
		"--pidfile", filepath.Join(dir, "docker.pid"), "--host", e.host(),
		"--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false")
	e.cmd.Stdout, e.cmd.Stderr = logFile, logFile
	started := make(chan error)
	go func() {
		// The signal at the parent's death is bound to the thread, so that stays here till the end: a test
		// that is killed takes the engine and its containers along.
		runtime.LockOSThread()
		e.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM, Cloneflags: uintptr(in)}
		err := e.cmd.Start()
		started <- err
		if err == nil {
			e.done <- e.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if _, err = e.docker("version", "--format", "{{.Server.Version}}"); err == nil {
			e.clean() // after a run that was killed
			if in == ownNetwork {
				err = e.loopback()
			}
			return e, err
		}
		select {
		case err := <-e.done:
			e.done <- err
			return e, fmt.Errorf("dockerd ended: %w; see %s", err, logFile.Name())
		default:
		}
		if time.Now().After(deadline) {
			return e, fmt.Errorf("dockerd does not answer: %w; see %s", err, logFile.Name())
		}
	}
}

func (e *engine) host() string { return "unix://" + filepath.Join(e.dir, "docker.sock") }

// clean removes all containers, networks and volumes of the engine, which has no others than the test's.
func (e *engine) clean() {
	if ids, err := e.docker("ps", "-aq"); err == nil && ids != "" {
		_, _ = e.docker(append([]string{"rm", "-f"}, strings.Fields(ids)...)...)
	}
	_, _ = e.docker("network", "prune", "-f")
	if names, err := e.docker("volume", "ls", "-q"); err == nil && names != "" {
		_, _ = e.docker(append([]string{"volume", "rm", "-f"}, strings.Fields(names)...)...)
	}
}

// stop ends the engine and what runs in it.
func (e *engine) stop() {
	if e == nil || e.cmd.Process == nil {
		return
	}
	e.end.Do(func() {
		e.clean()
		_ = e.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case _ = <-e.done:
		case <-time.After(30 * time.Second):
			_ = syscall.Kill(-e.cmd.Process.Pid, syscall.SIGKILL)
			_ = <-e.done
		}
		_ = syscall.Unmount(filepath.Join(e.dir, "exec", "netns", "default"), syscall.MNT_DETACH)
		_ = os.RemoveAll(e.dir)
	})
}

// dial connects from inside the engine's network namespace.
func (e *engine) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	inside := e.inside(func() error {
		d := net.Dialer{Timeout: 5 * time.Second}
		conn, err = d.DialContext(ctx, network, address)
		return err
	})
	return conn, inside
}

// loopback switches 127.0.0.1 on, which a new namespace has not, and which services publish ports on.
func (e *engine) loopback() error {
	return e.inside(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		lo, err := unix.NewIfreq("lo")
		if err != nil {
			return err
		}
		lo.SetUint16(unix.IFF_UP)
		return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
	})
}

// inside does something in the engine's network namespace.
func (e *engine) inside(do func() error) error {
	theirs, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", e.cmd.Process.Pid))
	if err != nil {
		return err
	}
	defer theirs.Close()
	done := make(chan error)
	go func() {
		// The thread is not given back: it ends with this goroutine, and its namespace with it.
		runtime.LockOSThread()
		if err := unix.Setns(int(theirs.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- do()
	}()
	return <-done
}

// docker runs the Docker client and gives its output without the last newline.
func (e *engine) docker(args ...string) (string, error) {
	return e.run("docker", nil, args...)
}

// run runs a client of the engine.
func (e *engine) run(program string, stdin []byte, args ...string) (string, error) {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+e.host(), "DOCKER_CONFIG="+e.dir, "DOCKER_BUILDKIT=0")
	if stdin != nil {
		cmd.Stdin = bytes.NewReader(stdin)
	}
	return output(cmd)
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
		if len(said) > 2000 {
			said = "…" + said[len(said)-2000:]
		}
		err = fmt.Errorf("%s %s: %w: %s", filepath.Base(cmd.Path), strings.Join(cmd.Args[1:min(len(cmd.Args), 4)], " "), err, said)
	}
	return text, err
}

// container is what the engine says of a container.
type container struct {
	ID           string `json:"Id"`
	Name         string
	RestartCount int
	State        struct {
		Status   string
		Pid      int
		ExitCode int
		Health   *struct{ Status string }
	}
	Config          struct{ Labels map[string]string }
	NetworkSettings struct {
		Networks map[string]struct{ IPAddress string }
	}
}

func (c container) service() string { return c.Config.Labels["com.docker.compose.service"] }

// network is the one of the stack's own that the container is in.
func (c container) network() string {
	for name := range c.NetworkSettings.Networks {
		if name != ingress {
			return name
		}
	}
	return ""
}

// containers lists the containers of a Compose project.
func (e *engine) containers(project string) ([]container, error) {
	ids, err := e.docker("ps", "-aq", "--no-trunc", "--filter", "label=com.docker.compose.project="+project)
	if err != nil || ids == "" {
		return nil, err
	}
	text, err := e.docker(append([]string{"inspect"}, strings.Fields(ids)...)...)
	if err != nil {
		return nil, err
	}
	var list []container
	return list, json.Unmarshal([]byte(text), &list)
}
