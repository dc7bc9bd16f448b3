package kubernetes

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// stranger is a pod that belongs to nothing, with the programs of the base image.
const stranger = `apiVersion: v1
kind: Pod
metadata: {name: stranger, namespace: %s}
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 0
  securityContext: {runAsNonRoot: true, runAsUser: 4242, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: stranger
      image: %s
      command: [sleep, infinity]
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
`

// knock tries to connect to each of its arguments, and prints those that let it in.
const knock = `
import socket, sys, threading
def knock(target):
    host, port = target.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), 3).close()
        sys.stdout.write(target + "\n")
    except OSError:
        pass
threads = [threading.Thread(target=knock, args=(t,)) for t in sys.argv[1:]]
[t.start() for t in threads]
[t.join() for t in threads]
`

// Who needs a port reaches it, and nobody else does: not another pod of the stack, and no stranger at all.
func (s *stack) testPolicies(t *testing.T) {
	needed := map[string][]string{
		"postgres:5432": {"synapse", "mas"},
		"synapse:8008":  {"mas"},
		"mas:8080":      {"synapse"},
		"mas:8081":      nil, // the health of MAS, which the kubelet asks for from the node
	}
	for _, b := range bridges {
		needed["postgres:5432"] = append(needed["postgres:5432"], b.name)
		needed[fmt.Sprintf("%s:%d", b.name, b.port)] = []string{"synapse"}
		if b.name != "telegram" { // which asks the public host, so that it gets well-known from there
			needed["synapse:8008"] = append(needed["synapse:8008"], b.name)
		}
	}
	targets := slices.Sorted(maps.Keys(needed))
	open := 0
	for name := range s.pods(t) {
		var want []string
		for _, target := range targets {
			// What a pod says to itself goes by no policy, or by the Service and then by its own.
			if host, _, _ := strings.Cut(target, ":"); host != name && slices.Contains(needed[target], name) {
				want = append(want, target)
			}
		}
		args := append([]string{"exec", s.workload(t, name), "-c", name, "--", "python3", "-c", knock}, slices.DeleteFunc(slices.Clone(targets), func(target string) bool {
			return strings.HasPrefix(target, name+":")
		})...)
		got := strings.Fields(s.kubectl(t, args...))
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s reaches %q, and needs %q", name, got, want)
		}
		open += len(got)
	}
	image := s.kubectl(t, "get", "statefulset", "postgres", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
	for _, where := range []string{namespace, "default"} {
		if err := cl.apply(fmt.Sprintf(stranger, where, image)); err != nil {
			t.Fatal(err)
		}
		cl.kubectl(t, "-n", where, "wait", "--for=condition=Ready", "pod/stranger", "--timeout", "60s")
		var full []string
		for _, target := range targets {
			host, port, _ := strings.Cut(target, ":")
			full = append(full, host+"."+namespace+".svc.cluster.local:"+port)
		}
		ask := append([]string{"-n", where, "exec", "stranger", "--", "python3", "-c", knock}, full...)
		var got string
		closed := within(10*time.Second, func() bool { got = cl.kubectl(t, ask...); return got == "" })
		if !closed {
			t.Errorf("a stranger in the namespace %s reaches %q", where, strings.Fields(got))
		}
		if where == namespace { // that it reaches nothing is the policies' doing
			s.kubectl(t, "delete", "networkpolicy", "--all")
			if !within(20*time.Second, func() bool { return len(strings.Fields(cl.kubectl(t, ask...))) == len(targets) }) {
				t.Errorf("without policies a stranger reaches %q, and not all of %q", cl.kubectl(t, ask...), full)
			}
			s.apply(t)
			if !within(20*time.Second, func() bool { return cl.kubectl(t, ask...) == "" }) {
				t.Error("applied again, the policies keep no stranger out")
			}
		}
		cl.kubectl(t, "-n", where, "delete", "pod", "stranger", "--wait=false")
	}
	fact("kube-router (Go module)", must(t, "github.com/cloudnativelabs/kube-router/v2"), fmt.Sprintf("NetworkPolicies: %d hops, and no other", open))
}
