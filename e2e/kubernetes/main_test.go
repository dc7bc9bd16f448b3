// Package kubernetes starts a real Kubernetes of this machine's own making, of one node, and has it run what stackgen renders: etcd, the API
// server, its controllers, the scheduler, kubelet, kube-proxy, kubectl, CoreDNS and kube-router's NetworkPolicies are built from their
// modules, containerd, runc and the CNI plugins are Debian's. It is a module of its own, so that none of that is the product's.
package kubernetes

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

var (
	programsOnly = flag.Bool("programs", false, "build the programs of the cluster, and run nothing")
	update       = flag.Bool("update", false, "write FAULTS.md again")
)

// cache is where what is made stays, cl the cluster of this run.
var (
	cache string
	cl    *cluster
)

func TestMain(m *testing.M) {
	if os.Getenv(firstProcess) != "" {
		first()
		return
	}
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	fail := func(err error) int {
		fmt.Fprintf(os.Stderr, "make cluster cannot run: %v\n", err)
		return 1
	}
	home, err := os.UserCacheDir()
	if err != nil {
		return fail(err)
	}
	cache = filepath.Join(home, "stackgen-cluster")
	if err := buildPrograms(); err != nil {
		return fail(err)
	}
	if *programsOnly {
		return 0
	}
	if err := errors.Join(missing(), buildStackgen()); err != nil {
		return fail(err)
	}
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-stopped
		cl.down()
		os.Exit(1)
	}()
	if cl, err = newCluster(); err != nil {
		return fail(err)
	}
	defer func() {
		start := time.Now()
		cl.remove()
		step(start, "ended the cluster")
	}()
	if err := cl.up(); err != nil {
		cl.tellLogs()
		return fail(err)
	}
	if code = m.Run(); code != 0 {
		cl.tellState()
		return code
	}
	printFacts()
	return 0
}

// step prints what was done and how long it took.
func step(start time.Time, format string, args ...any) {
	fmt.Printf("%6.1fs  %s\n", time.Since(start).Seconds(), fmt.Sprintf(format, args...))
}

// facts are the lines of the fact sheet: which real program, in which version, accepted what.
var facts [][3]string

func fact(program, version, accepted string) {
	facts = append(facts, [3]string{program, version, accepted})
}

func printFacts() {
	fmt.Println("\nWhat accepted what:")
	for _, f := range facts {
		fmt.Printf("  %-34s %-24s %s\n", f[0], f[1], f[2])
	}
}
