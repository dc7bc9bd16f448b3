package kubernetes

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// firstProcess is the variable by which this program becomes the first process of the cluster's namespaces; it holds the cluster's directory.
const firstProcess = "STACKGEN_CLUSTER"

// first makes the namespaces that it was started in a machine of its own, says so, and then buries orphans until it is killed, which ends all.
func first() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGCHLD)
	if err := furnish(os.Getenv(firstProcess)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(furnished)
	for range signals {
		for {
			if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}

const furnished = "furnished"

// furnish lays out network and mounts.
func furnish(dir string) error {
	if err := errors.Join(
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("proc", "/proc", "proc", 0, ""),
	); err != nil {
		return err
	}
	// The node's card is a bridge without ports: its address must not be one of the loopback. Everything unknown goes there and ends there,
	// for the addresses of Services need some route before they are rewritten.
	for _, words := range []string{
		"link set lo up", "link add node0 type bridge", "addr add " + nodeIP + "/24 dev node0", "link set node0 up", "route add default dev node0",
	} {
		if _, err := output(exec.Command("ip", strings.Fields(words)...)); err != nil {
			return err
		}
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0); err != nil {
		return err
	}
	// What kubelet and containerd write to wherever they are told to write.
	for name, to := range map[string]string{"var-lib": "/var/lib", "var-log": "/var/log"} {
		if err := unix.Mount(filepath.Join(dir, name), to, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s: %w", to, err)
		}
	}
	if err := unix.Mount("run", "/run", "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return err
	}
	// kubelet wants these values, and would set them for the whole machine: it is shown files that have them.
	for name, value := range map[string]string{"vm/overcommit_memory": "1", "kernel/panic": "10", "kernel/panic_on_oops": "1"} {
		file := filepath.Join(dir, "sysctl-"+strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			return err
		}
		if err := unix.Mount(file, "/proc/sys/"+name, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s: %w", name, err)
		}
	}
	return nil
}
