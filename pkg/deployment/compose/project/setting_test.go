package project

import (
	"fmt"
	"strings"
	"testing"
)

// What a service is started with: its own settings first, then its files, the last of them first.
func TestEnvironment(t *testing.T) {
	p := Load(inMemory(map[string]string{
		".env":       "TAG=1\nSHELL_OR_HERE=env\n",
		"a.env":      "A=a\nBOTH=a\nREF=${TAG}-${OWN}-${NOBODY}\nQUOTED=\"x y\" # c\nexport E=e\nHANDED\nTAG2='${TAG}'\n",
		"b.env":      "BOTH=b\nOWN=file\nLATE=${A}\n",
		"raw.env":    "# no\nRAW='${TAG}' # kept\n  SPACED = x \n",
		"one.labels": "l=one\nm=one${TAG}\n",
		"two.labels": "m=two\nn=${l}\n",
		"compose.yaml": `services:
  a:
    image: x
    environment: [OWN=own, SHELL_OR_HERE, SHELL, "TWO=${TAG}${GONE}"]
    env_file:
      - a.env
      - path: ./b.env
      - {path: raw.env, format: raw}
      - {path: gone.env, required: false}
    labels: {l: mine, number: 1.50}
    label_file: [one.labels, two.labels]
  b:
    image: x
    env_file: [gone.env, ../above.env]
    label_file: ${DIR}/x
`,
	}), Options{})
	show := func(settings []Setting) string {
		var all []string
		for _, s := range settings {
			text := fmt.Sprintf("%s=%s", s.Name, s.Text)
			if s.Handed {
				text = s.Name + " handed"
			}
			if len(s.Unset) > 0 {
				text += fmt.Sprint(s.Unset)
			}
			if s.File != "" {
				text += " of " + s.File + fmt.Sprintf(":%d", s.At.Pos().Line)
			}
			all = append(all, text)
		}
		return strings.Join(all, "\n")
	}
	a := p.File.At("services", "a")
	env, hidden := p.Environment(a)
	want := `OWN=own
SHELL_OR_HERE=env
SHELL handed
TWO=1[GONE]
A=a of a.env:6
BOTH=b of b.env:7
E=e of a.env:6
HANDED=[HANDED] of a.env:6
LATE=a of b.env:7
QUOTED=x y of a.env:6
RAW='${TAG}' # kept of raw.env:8
REF=1-own-[NOBODY] of a.env:6
SPACED = x  of raw.env:8
TAG2=${TAG} of a.env:6`
	if got := show(env); got != want || hidden != "" {
		t.Errorf("%s\n%s\nwant\n%s", hidden, got, want)
	}
	labels, hidden := p.Labels(a)
	want = "l=mine\nnumber=1.5\nm=two of two.labels:11\nn=one of two.labels:11"
	if got := show(labels); got != want || hidden != "" {
		t.Errorf("%s\n%s\nwant\n%s", hidden, got, want)
	}
	b := p.File.At("services", "b")
	if _, hidden := p.Environment(b); hidden != "the env_file gone.env cannot be read" {
		t.Error(hidden)
	}
	if _, hidden := p.Labels(b); hidden != "the label_file /x cannot be read" {
		t.Error(hidden)
	}
}

// An environment file that Compose cannot read is a fault that quotes none of it.
func TestEnvFault(t *testing.T) {
	p := Load(inMemory(map[string]string{
		"bad.env": "A=1\nmy pass word=hunter2\n", "compose.yaml": "include: [{path: inc.yml, env_file: bad.env}]\n" + service, "inc.yml": "services: {b: {image: nginx}}\n",
	}), Options{})
	if len(p.Faults) != 1 || !strings.Contains(p.Faults[0].Message, "line 2") || strings.Contains(fmt.Sprint(p.Faults), "hunter2") {
		t.Errorf("%+v", p.Faults)
	}
	if !p.File.At("services", "b").Exists() {
		t.Error("the rest is not read")
	}
}
