package suppress

import (
	"encoding/json"
	"errors"
	"path/filepath"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Baseline is an earlier report: how often it has each finding.
type Baseline struct {
	name string
	left map[finding.Fact]int
}

// ParseBaseline reads what `--format json` printed. Its findings count, and not those that it has as suppressed: their answers
// stand elsewhere. The name is only shown.
func ParseBaseline(name string, src []byte) (*Baseline, error) {
	var report struct {
		Dir      string `json:"dir"`
		Findings *[]struct {
			Rule    string `json:"rule"`
			Message string `json:"message"`
			Sites   []struct {
				File string `json:"file"`
			} `json:"sites"`
		} `json:"findings"`
	}
	if len(src) > source.MaxSize {
		return nil, errors.New("it is larger than every report")
	}
	if err := json.Unmarshal(src, &report); err != nil {
		return nil, errors.New("it is no report: " + err.Error())
	}
	if report.Findings == nil {
		return nil, errors.New("it is no report: the list findings is missing")
	}
	b := &Baseline{name: name, left: make(map[finding.Fact]int)}
	for _, f := range *report.Findings {
		was := finding.Fact{Rule: f.Rule, Message: f.Message}
		if len(f.Sites) > 0 {
			was.File = within(report.Dir, f.Sites[0].File)
		}
		b.left[was]++
	}
	return b, nil
}

// Apply parts what the report had already from what is new. Of a finding that is there more often than it was, the last are
// new. The texts have to be as they are printed; dir is the directory that the places lie in, as the user calls it.
func (b *Baseline) Apply(findings []finding.Finding, dir string) (rest, suppressed []finding.Finding) {
	for _, f := range findings {
		is := f.Fact()
		is.File = within(dir, is.File)
		if b.left[is] == 0 {
			rest = append(rest, f)
			continue
		}
		b.left[is]--
		f.Suppression = &finding.Suppression{By: finding.Baseline, Reason: "it is in the baseline", At: source.Pos{File: b.name}}
		suppressed = append(suppressed, f)
	}
	return rest, suppressed
}

// within is the path of a file seen from the directory, so that it does not matter from where either report was made.
func within(dir, file string) string {
	if dir == "" || file == "" {
		return file
	}
	below, err := filepath.Rel(dir, file)
	if err != nil {
		return file
	}
	return filepath.ToSlash(below)
}
