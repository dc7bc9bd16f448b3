// Package e2e starts a rendered stack with the real Docker Compose, and takes over stacks that were kept by hand (byhand,
// byhand-caddy) with their data: the real Synapse, PostgreSQL, Caddy, WhatsApp, LinkedIn and Telegram bridges, mautrix-go's own
// start-up code for the bridgev2 bridges that cannot be built here, and stand-ins for MAS, Discord and Traefik. It is a
// module of its own, so that none of that is the product's.
package e2e

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
	update = flag.Bool("update", false, "write FAULTS.md again")
	export = flag.String("export", "", "save the images that e2e/kubernetes runs into this directory, and run nothing")
)

// docker is the engine of this run, bin the directory with the programs that were built.
var (
	docker *engine
	bin    string
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	if err := missing(); err != nil {
		fmt.Fprintf(os.Stderr, "make e2e cannot run: %v\n", err)
		return 1
	}
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-stopped
		docker.stop()
		os.Exit(1)
	}()
	defer func() {
		start := time.Now()
		docker.stop()
		step(start, "stopped the engine")
	}()
	if err := prepare(); err != nil {
		fmt.Fprintf(os.Stderr, "make e2e cannot run: %v\n", err)
		return 1
	}
	if *export != "" {
		return 0
	}
	code = m.Run()
	if code == 0 {
		printFacts()
	}
	return code
}

// prepare builds the programs, starts the engine and makes the images. What it makes stays in a cache.
func prepare() (err error) {
	home, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	cache := filepath.Join(home, "stackgen-e2e")
	bin = filepath.Join(cache, "context", "bin")
	if err := os.MkdirAll(bin, 0o700); err != nil {
		return err
	}
	start := time.Now()
	if docker, err = startEngine(cache, machineNetwork); err != nil {
		return err
	}
	version, err := docker.docker("version", "--format", "{{.Server.Version}}")
	if err != nil {
		return err
	}
	fact("Docker Engine (Debian)", version, "the containers of docker-compose.yml")
	step(start, "started Docker Engine %s", version)

	// The base system waits for the network, the programs for the processor.
	type made struct {
		ref string
		err error
	}
	base := make(chan made, 1)
	go func() {
		ref, err := docker.base(cache)
		base <- made{ref, err}
	}()
	built := errors.Join(buildPrograms(cache), fillContext(cache), installBorgmatic(cache))
	debian := <-base
	if err := errors.Join(built, debian.err); err != nil {
		return err
	}
	if err := docker.buildImages(cache, debian.ref, builds()); err != nil {
		return err
	}
	if *export != "" {
		return docker.export(*export)
	}
	docker.stop()
	docker, err = startEngine(cache, ownNetwork)
	return err
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
