// Command generate writes pkg/route/traefik/static.yaml: go run ./statickeys/generate CLONE [DIR ...], where CLONE is a
// clone of Traefik's repository with its tags, and each DIR the module cache's folder of a release that it lacks.
package main

import (
	"cmp"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/conformance/traefik/statickeys"
)

const header = `# The keys of Traefik's static configuration from %s to %s, made by conformance/traefik/statickeys/generate. A word is
# what a key takes; behind @ stand the first release that has it and, behind -, the first that has it no more. "" is the
# section itself, where it may stand without anything below it.
`

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: go run ./statickeys/generate CLONE [DIR ...]")
	}
	clone := os.Args[1]
	tags := strings.Fields(git(clone, "tag", "--list", "v[23].*"))
	tags = slices.DeleteFunc(tags, func(t string) bool { return !final.MatchString(t) })
	dirs := make(map[string]string)
	for _, dir := range os.Args[2:] {
		_, tag, _ := strings.Cut(filepath.Base(dir), "@")
		if dirs[tag] = dir; !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	slices.SortFunc(tags, func(a, b string) int { return slices.Compare(numbers(a), numbers(b)) })
	var releases []statickeys.Release
	for _, tag := range tags {
		keys, err := read(clone, tag, dirs[tag])
		if err != nil {
			log.Fatal(tag, ": ", err)
		}
		releases = append(releases, statickeys.Release{Version: tag[1:], Keys: keys})
	}
	text := fmt.Sprintf(header, tags[0][1:], tags[len(tags)-1][1:]) + statickeys.Table(releases)
	if err := os.WriteFile("../../pkg/route/traefik/static.yaml", []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
}

var final = regexp.MustCompile(`^v\d+\.\d+\.\d+$`)

func numbers(tag string) []int {
	var ns []int
	for word := range strings.SplitSeq(tag[1:], ".") {
		n, err := strconv.Atoi(word)
		ns = append(ns, cmp.Or(n, 0))
		if err != nil {
			log.Fatal(err)
		}
	}
	return ns
}

// read takes the sources of a tag from dir, or else out of the clone into a directory of their own.
func read(clone, tag, dir string) (map[string]string, error) {
	if dir != "" {
		return keys(dir)
	}
	dir, err := os.MkdirTemp("", "traefik")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "pkg.tar")
	git(clone, "archive", "--output="+file, tag, "pkg")
	if out, err := exec.Command("tar", "-xf", file, "-C", dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return keys(dir)
}

func keys(dir string) (map[string]string, error) {
	t, err := statickeys.Read(dir)
	if err != nil {
		return nil, err
	}
	return statickeys.Keys(t), nil
}

func git(clone string, args ...string) string {
	out, err := exec.Command("git", append([]string{"-C", clone}, args...)...).Output()
	if err != nil {
		log.Fatal("git ", args[0], ": ", err)
	}
	return string(out)
}
