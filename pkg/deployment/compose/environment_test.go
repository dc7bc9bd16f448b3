package compose

import (
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/dotenv"
)

// FuzzUnparsed: the line that Compose does not take is one of the file, and there is none where it takes all.
func FuzzUnparsed(f *testing.F) {
	for _, seed := range []string{"", "A=b\n", "A B=c", "A=\"x\ny\"\nB C=d\n", "A='", "export A=b\n=x\n", "A=${B:-$C}\n", "\xff\n", "A: b\n", "A=\"$(x)\"\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		_, err := dotenv.ParseWithLookup(strings.NewReader(src), func(string) (string, bool) { return "", true })
		line := unparsed(src)
		if (err != nil) != (line > 0) || line > strings.Count(src, "\n")+1 {
			t.Errorf("line %d of %q: %v", line, src, err)
		}
	})
}

// A large file of nothing but faults is answered at once, and the line of one fault is found wherever it is.
func TestUnparsed(t *testing.T) {
	began := time.Now()
	if line := unparsed(strings.Repeat("A B=c\n", 100_000)); line != 1 {
		t.Errorf("line %d", line)
	}
	if line := unparsed(strings.Repeat("A=\"x\ny\"\n", 1000) + "B C=d\n" + strings.Repeat("A=b\n", 1000)); line != 2001 {
		t.Errorf("line %d", line)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestLineOf(t *testing.T) {
	const text = "A=1\nexport B = 2\nexport\tC: 3\n# D=4\nA=5\nexportE=6\n"
	for name, want := range map[string]int{"A": 5, "B": 2, "C": 3, "D": 0, "E": 0, "exportE": 6} {
		if got := lineOf(text, name); got != want {
			t.Errorf("%s stands in line %d, and not %d", name, want, got)
		}
	}
}
