package compose

import (
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/memfs"
)

// FuzzEnvironment: whatever stands in .env and in a value that takes variables from it, both are read, and no variable
// is said to stand in a line that is not there.
func FuzzEnvironment(f *testing.F) {
	for _, seed := range [][2]string{
		{"A=b\n", "${A}"},
		{"export A='x'\n#B=1\nC=\"a\nb\"\n", "$$ $A ${A:-x} ${B:?} ${C+y} ${"},
		{"=\n==\nA=\nA = b #c\n", "${A-${B:-c}}"},
		{"COMPOSE_FILE=\nCOMPOSE_PATH_SEPARATOR=,\n", "$"},
		{"COMPOSE_FILE=../a:/b::docker-compose.yml\n", "x"},
		{"\xff=\x00\n", "${\xff}"},
		{"A=$B\nB=$A\n", "${A}${B}"},
		{"A: b\nexport\tB=c\n", "${A}${B}"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, env, text string) {
		d, _ := Open(memfs.New([]memfs.File{{Path: ".env", Data: append([]byte{}, env...)}, {Path: "docker-compose.yml", Data: []byte("services: {a: {image: x}}\n")}}))
		lines := strings.Count(env, "\n") + 1
		for name := range d.Env.Values {
			// One that begins behind a value of several lines has none: nobody writes so, and dotenv takes it.
			if n := d.Env.Pos(name).Line; n < 0 || n > lines {
				t.Errorf("%q stands in line %d of %q", name, n, env)
			}
		}
		for _, f := range d.Env.Files {
			f.Unparsed()
		}
		file, problems := finding.Parse("x", []byte("{\"v\": \""+strings.NewReplacer("\\", "\\\\", "\"", "\\\"", "\n", "\\n").Replace(strings.ToValidUTF8(text, "?"))+"\"}"))
		if p := Of(d); p != nil && len(problems) == 0 {
			p.expand(file.At("v"))
		}
	})
}
