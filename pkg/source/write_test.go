package source

import "testing"

// What is written is read back as what it was, and looks as a person would write it.
func TestWritten(t *testing.T) {
	const want = `version: 1
owner: "1000:1000"
on: "off"
limits:
  inner: {memory: 4G, tag: v1.157.1, "yes": true}
list:
  - path: ssh://borg@backup.example.org/./matrix
    label: "123"
uris: ["turn:turn.example.org?transport=udp"]
empty: {}
none: null
key: |-
  -----BEGIN-----
  word: {a: b}
long: "a: b # c"
template: "{{ user.name }}"
`
	f, problem := Parse("", []byte(want))
	if problem != nil {
		t.Fatal(problem.Message)
	}
	got, err := f.Root().Node().YAML()
	if err != nil {
		t.Fatal(err)
	}
	if wanted := `"on"` + want[len("version: 1\nowner: \"1000:1000\"\non"):]; string(got) != "version: 1\nowner: \"1000:1000\"\n"+wanted {
		t.Errorf("%s", got)
	}
	again, problem := Parse("", got)
	if problem != nil || !again.Root().Node().Equal(f.Root().Node()) {
		t.Errorf("it is read back as another: %v", problem)
	}
}
