package kubernetes

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The cluster's one node, and the addresses that are given out in it.
const (
	node     = "node1"
	nodeIP   = "10.200.0.1"
	pods     = "10.244.0.0/24"
	services = "10.96.0.0/16"
	apiIP    = "10.96.0.1" // the first of the Services, which Kubernetes takes itself
	dnsIP    = "10.96.0.10"
	proxyIP  = "10.96.0.20"
)

// cluster runs in network, mount and process namespaces of its own: nothing of it reaches the machine's network, and the end of its first
// process ends all of it. What it keeps is in dir, so that it can begin again as a machine does that was switched off.
type cluster struct {
	dir   string
	first *exec.Cmd
	done  chan struct{}
	lock  sync.Mutex
}

func newCluster() (*cluster, error) {
	dir, err := os.MkdirTemp("", "stackgen-cluster-")
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir}
	for _, name := range []string{"pki", "log", "var-lib", "var-log", "cni", "volumes"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return nil, err
		}
	}
	return c, certificates(filepath.Join(dir, "pki"))
}

// up starts all of it.
func (c *cluster) up() error {
	start := time.Now()
	if err := c.begin(); err != nil {
		return err
	}
	if err := c.control(); err != nil {
		return err
	}
	step(start, "the control plane is up")
	if err := c.node(); err != nil {
		return err
	}
	step(start, "the node is up")
	return nil
}

// begin makes the namespaces.
func (c *cluster) begin() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c.first, c.done = exec.Command(self), make(chan struct{})
	c.first.Env = append(os.Environ(), firstProcess+"="+c.dir)
	c.first.Stderr = os.Stderr
	stdout, err := c.first.StdoutPipe()
	if err != nil {
		return err
	}
	started := make(chan error)
	go func() {
		// The signal at the parent's death is bound to the thread, so that stays here till the end: a test that is killed takes the cluster
		// along.
		runtime.LockOSThread()
		c.first.SysProcAttr = &syscall.SysProcAttr{
			Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID,
		}
		err := c.first.Start()
		started <- err
		if err == nil {
			_, _ = c.first.Process.Wait()
		}
		close(c.done)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("namespaces: %w", err)
	}
	said, _ := bufio.NewReader(stdout).ReadString('\n')
	if strings.TrimSpace(said) != furnished {
		return fmt.Errorf("the namespaces cannot be laid out: %s", said)
	}
	return nil
}

// down ends it as the power does: what is kept stays.
func (c *cluster) down() {
	if c == nil || c.first == nil || c.first.Process == nil {
		return
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	_ = c.first.Process.Kill()
	<-c.done
	c.first = nil
	for range 50 { // the groups of pods that are no more
		if dropGroups() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Fprintf(os.Stderr, "control groups called %s stay behind\n", group)
}

// remove ends it for good.
func (c *cluster) remove() {
	c.down()
	if mounts, err := os.ReadFile("/proc/self/mounts"); err == nil && strings.Contains(string(mounts), c.dir) {
		fmt.Fprintf(os.Stderr, "something below %s is still mounted\n", c.dir)
		return
	}
	if err := os.RemoveAll(c.dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// command is a program inside the cluster's namespaces.
func (c *cluster) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{
		"--target", strconv.Itoa(c.first.Process.Pid), "--net", "--mount", "--pid", "--", name,
	}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(cache, "bin")+":"+os.Getenv("PATH"), "KUBECONFIG="+c.pki("admin.conf"))
	return cmd
}

// start starts one part, whose output goes into a file of its name.
func (c *cluster) start(name string, args ...string) error {
	log, err := os.OpenFile(filepath.Join(c.dir, "log", name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := c.command(context.Background(), name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	first := c.first
	go func() {
		err := cmd.Wait()
		c.lock.Lock()
		defer c.lock.Unlock()
		if c.first == first { // or else it was ended with all others
			fmt.Printf("%s ended: %v\n%s\n", name, err, c.said(name, 15))
		}
	}()
	return nil
}

// wait asks with kubectl until it succeeds.
func (c *cluster) wait(for_ time.Duration, args ...string) error {
	var err error
	for deadline := time.Now().Add(for_); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if _, err = output(c.command(context.Background(), "kubectl", args...)); err == nil {
			return nil
		}
	}
	return err
}

func (c *cluster) pki(name string) string { return filepath.Join(c.dir, "pki", name) }

// control starts etcd, the API server, the controllers and the scheduler.
func (c *cluster) control() error {
	return errors.Join(
		c.start("etcd", "--data-dir", filepath.Join(c.dir, "etcd"), "--unsafe-no-fsync",
			"--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379",
			"--listen-peer-urls", "http://127.0.0.1:2380", "--initial-advertise-peer-urls", "http://127.0.0.1:2380",
			"--initial-cluster", "default=http://127.0.0.1:2380"),
		c.start("kube-apiserver", "--etcd-servers", "http://127.0.0.1:2379", "--advertise-address", nodeIP,
			"--tls-cert-file", c.pki("apiserver.crt"), "--tls-private-key-file", c.pki("apiserver.key"), "--client-ca-file", c.pki("ca.crt"),
			"--kubelet-client-certificate", c.pki("apiserver-kubelet.crt"), "--kubelet-client-key", c.pki("apiserver-kubelet.key"),
			"--kubelet-certificate-authority", c.pki("ca.crt"), "--kubelet-preferred-address-types", "InternalIP",
			"--service-account-issuer", "https://kubernetes.default.svc.cluster.local",
			"--service-account-key-file", c.pki("sa.crt"), "--service-account-signing-key-file", c.pki("sa.key"),
			"--requestheader-client-ca-file", c.pki("front-ca.crt"), "--requestheader-username-headers", "X-Remote-User",
			"--requestheader-group-headers", "X-Remote-Group", "--requestheader-extra-headers-prefix", "X-Remote-Extra-",
			"--requestheader-allowed-names", "front-proxy", "--proxy-client-cert-file", c.pki("front.crt"), "--proxy-client-key-file", c.pki("front.key"),
			"--service-cluster-ip-range", services, "--authorization-mode", "Node,RBAC", "--enable-admission-plugins", "NodeRestriction",
			"--allow-privileged", "--profiling=false"),
		c.wait(2*time.Minute, "get", "--raw", "/readyz"),
		c.start("kube-controller-manager", "--kubeconfig", c.pki("kube-controller-manager.conf"),
			"--authentication-kubeconfig", c.pki("kube-controller-manager.conf"), "--authorization-kubeconfig", c.pki("kube-controller-manager.conf"),
			"--service-account-private-key-file", c.pki("sa.key"), "--root-ca-file", c.pki("ca.crt"), "--use-service-account-credentials",
			"--cluster-signing-cert-file", c.pki("ca.crt"), "--cluster-signing-key-file", c.pki("ca.key"),
			"--requestheader-client-ca-file", c.pki("front-ca.crt"), "--kube-api-qps", "500", "--kube-api-burst", "1000",
			"--leader-elect=false", "--profiling=false"),
		c.start("kube-scheduler", "--kubeconfig", c.pki("kube-scheduler.conf"),
			"--authentication-kubeconfig", c.pki("kube-scheduler.conf"), "--authorization-kubeconfig", c.pki("kube-scheduler.conf"),
			"--leader-elect=false", "--profiling=false"),
		c.wait(time.Minute, "get", "serviceaccount", "default", "-n", "default"),
	)
}

// tellLogs prints the end of what each part said.
func (c *cluster) tellLogs() {
	files, _ := filepath.Glob(filepath.Join(c.dir, "log", "*"))
	for _, file := range files {
		fmt.Printf("--- %s\n%s\n", filepath.Base(file), c.said(filepath.Base(file), 15))
	}
}

// tellState prints what hinders the node, which pods are not running, and the last warnings.
func (c *cluster) tellState() {
	for _, args := range [][]string{
		{"get", "nodes", "-o", `jsonpath={range .items[*].status.conditions[?(@.status!="False")]}{.type}: {.message}{"\n"}{end}`},
		{"get", "pods", "-A", "--field-selector", "status.phase!=Running,status.phase!=Succeeded", "-o", "wide"},
		{"get", "events", "-A", "--field-selector", "type=Warning", "--sort-by", ".metadata.creationTimestamp", "-o", `jsonpath={range .items[*]}{.involvedObject.kind} {.involvedObject.name}: {.reason}: {.message}{"\n"}{end}`},
	} {
		out, err := c.try(args...)
		if err != nil {
			out = err.Error()
		}
		fmt.Println(tail(out, 15))
	}
}

// said is the end of what a part said.
func (c *cluster) said(name string, lines int) string {
	src, err := os.ReadFile(filepath.Join(c.dir, "log", name))
	if err != nil {
		return err.Error()
	}
	return tail(string(src), lines)
}

func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// try runs kubectl.
func (c *cluster) try(args ...string) (string, error) {
	return output(c.command(context.Background(), "kubectl", args...))
}

// kubectl is try for what has to work.
func (c *cluster) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := c.try(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// apply has the server take manifests.
func (c *cluster) apply(manifests string) error {
	cmd := c.command(context.Background(), "kubectl", "apply", "--server-side", "--force-conflicts", "-f", "-")
	cmd.Stdin = strings.NewReader(manifests)
	_, err := output(cmd)
	return err
}

// inside runs what has to happen in the cluster's network.
func (c *cluster) inside(do func() error) error {
	theirs, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", c.first.Process.Pid))
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

// dial connects from inside the cluster's network.
func (c *cluster) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = c.inside(func() error {
		d := net.Dialer{Timeout: 5 * time.Second}
		conn, err = d.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// listen waits for connections on the node.
func (c *cluster) listen() (l net.Listener, err error) {
	err = c.inside(func() error {
		l, err = net.Listen("tcp", nodeIP+":0")
		return err
	})
	return l, err
}
