package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// group is the control group of the node's pods.
const group = "stackgen-cluster"

// containerdConfig keeps images in the cache, where they are unpacked once, and leaves the scores by which the kernel kills as they are: to lower them is not allowed everywhere, and then no pod starts.
const containerdConfig = `version = 2
root = "%[2]s/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "` + pauseImage + `"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "` + plugins + `"
  conf_dir = "%[1]s/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
  default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
`

// podNetwork routes between pods instead of bridging them, so that what they say to each other passes the firewall.
const podNetwork = `{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "ptp", "mtu": 1500, "ipMasq": false, "ipam": {"type": "host-local", "dataDir": "/run/cni-ipam",
    "ranges": [[{"subnet": "` + pods + `"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}, "snat": false}]}
`

// kubeletConfig evicts and collects nothing for a disk that others fill (a threshold that is not named is none), hears soon of a Secret that comes late, and starts again soon what ended
// for want of another: a cluster's own pace is up to five minutes.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %[1]s/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: %[1]s/pki/kubelet-server.crt
tlsPrivateKeyFile: %[1]s/pki/kubelet-server.key
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /` + group + `
failCgroupV1: false
failSwapOn: false
clusterDomain: cluster.local
clusterDNS: [` + dnsIP + `]
resolvConf: %[1]s/resolv.conf
maxOpenFiles: 10000
oomScoreAdj: 0
evictionHard: {memory.available: 100Mi}
imageGCHighThresholdPercent: 100
crashLoopBackOff: {maxContainerRestartPeriod: 3s}
syncFrequency: 10s
`

// node makes this machine a node of the cluster: containerd, kubelet, kube-proxy, DNS and the firewall.
func (c *cluster) node() error {
	for name, src := range map[string]string{
		"containerd.toml":   fmt.Sprintf(containerdConfig, c.dir, cache),
		"kubelet.yaml":      fmt.Sprintf(kubeletConfig, c.dir),
		"cni/pods.conflist": podNetwork,
		"resolv.conf":       "nameserver 127.0.0.1\n",
	} {
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(src), 0o600); err != nil {
			return err
		}
	}
	if err := makeGroups(); err != nil {
		return err
	}
	if err := c.start("containerd", "--config", filepath.Join(c.dir, "containerd.toml")); err != nil {
		return err
	}
	if err := c.images(); err != nil {
		return err
	}
	volumes, err := c.volumes()
	if err != nil {
		return err
	}
	return errors.Join(
		c.start("kubelet", "--kubeconfig", c.pki("kubelet.conf"), "--config", filepath.Join(c.dir, "kubelet.yaml"),
			"--hostname-override", node, "--node-ip", nodeIP, "--root-dir", "/var/lib/kubelet"),
		c.start("kube-proxy", "--kubeconfig", c.pki("kube-proxy.conf"), "--hostname-override", node, "--proxy-mode", "nftables",
			"--cluster-cidr", pods, "--conntrack-max-per-core", "0", "--conntrack-tcp-timeout-established", "0",
			"--conntrack-tcp-timeout-close-wait", "0", "--oom-score-adj", "0"),
		c.apply(dns+volumes),
		c.wait(time.Minute, "wait", "--for", "condition=Ready", "node/"+node, "--timeout", "1s"),
		c.start("router", c.pki("admin.conf"), node, services), // which ends where it does not find its node
		c.wait(time.Minute, "-n", "kube-system", "wait", "--for", "condition=Available", "deployment/coredns", "--timeout", "1s"),
	)
}

// images brings every image of the cache into containerd, which answers a moment after it has started.
func (c *cluster) images() (err error) {
	for range 100 {
		if _, err = output(c.command(context.Background(), "ctr", "version")); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	if err := makeImages(); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(cache, "images", "*.tar"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if _, err := output(c.command(context.Background(), "ctr", "-n", "k8s.io", "image", "import", "--digests=false", file)); err != nil {
			return err
		}
	}
	return nil
}

// volumes are manifests of local volumes, which are made beforehand: those that a controller makes on demand on one node know no fsGroup.
func (c *cluster) volumes() (string, error) {
	var all strings.Builder
	all.WriteString(`---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: local, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
`)
	for i := range 16 {
		dir := filepath.Join(c.dir, "volumes", fmt.Sprint(i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		fmt.Fprintf(&all, `---
apiVersion: v1
kind: PersistentVolume
metadata: {name: local-%d}
spec:
  capacity: {storage: 100Gi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: local
  local: {path: %s}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [%s]}]}]}}
`, i, dir, node)
	}
	return all.String(), nil
}

const groups = "/sys/fs/cgroup"

// groupDirs are where the control group of the pods is: one place, or with the old kind of control groups one for each thing that is counted.
func groupDirs() (dirs []string) {
	if _, err := os.Stat(filepath.Join(groups, "cgroup.controllers")); err == nil {
		return []string{filepath.Join(groups, group)}
	}
	for _, of := range []string{"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd", "unified"} {
		if _, err := os.Stat(filepath.Join(groups, of)); err == nil {
			dirs = append(dirs, filepath.Join(groups, of, group))
		}
	}
	return dirs
}

func makeGroups() error {
	dirs := groupDirs()
	if len(dirs) == 0 {
		return fmt.Errorf("%s has no control groups, which pods are bounded by", groups)
	}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("control groups cannot be made: %w", err)
		}
		if filepath.Dir(dir) == groups {
			for _, what := range []string{"cpu", "cpuset", "memory", "pids", "io"} {
				if err := os.WriteFile(filepath.Join(groups, "cgroup.subtree_control"), []byte("+"+what), 0); err != nil {
					return fmt.Errorf("control groups cannot be counted by %s: %w", what, err)
				}
			}
		}
		for _, name := range []string{"cpuset.cpus", "cpuset.mems"} { // which a new one has not, and then holds no process
			if src, err := os.ReadFile(filepath.Join(filepath.Dir(dir), name)); err == nil && filepath.Base(filepath.Dir(dir)) == "cpuset" {
				if err := os.WriteFile(filepath.Join(dir, name), src, 0); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// dropGroups removes them, which have to be empty.
func dropGroups() bool {
	gone := true
	for _, dir := range groupDirs() {
		gone = dropGroup(dir) && gone
	}
	return gone
}

func dropGroup(dir string) bool {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return true
	}
	for _, e := range entries {
		if e.IsDir() {
			dropGroup(filepath.Join(dir, e.Name()))
		}
	}
	return os.Remove(dir) == nil
}
