package project

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// write puts files into a directory, by their names.
func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// composed is the project as compose-go loads it, as `docker compose config` does.
func composed(t testing.TB, dir string, files, profiles []string) (*types.Project, error) {
	t.Helper()
	quiet()
	var paths []string
	for _, f := range files {
		paths = append(paths, filepath.Join(dir, f))
	}
	t.Chdir(dir)
	options, err := cli.NewProjectOptions(paths, cli.WithEnvFiles(), cli.WithDotEnv, cli.WithConfigFileEnv, cli.WithDefaultConfigPath, cli.WithEnvFiles(), cli.WithDotEnv,
		cli.WithDefaultProfiles(profiles...), cli.WithResolvedPaths(true))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(t.Context())
}

// reloaded is our merged tree as compose-go loads it: it stands in one file, and asks for nothing else.
func reloaded(p *Project, dir string, of *types.Project, profiles []string) (*types.Project, error) {
	src, err := json.Marshal(escaped(p.File.Root().Any()))
	if err != nil {
		return nil, err
	}
	details := types.ConfigDetails{WorkingDir: dir, ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "merged.json"), Content: src}}, Environment: types.Mapping{}}
	name := "x"
	if of != nil {
		details.Environment, name = maps.Clone(of.Environment), of.Name
	}
	return loader.LoadWithContext(context.Background(), details, func(o *loader.Options) {
		o.SetProjectName(name, true)
		o.Profiles = profiles
	})
}

// escaped doubles each $, for nothing is left to be replaced.
func escaped(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "$", "$$")
	case []any:
		for i := range v {
			v[i] = escaped(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = escaped(v[k])
		}
	}
	return v
}

func plainJSON(t testing.TB, p *types.Project) any {
	t.Helper()
	src, err := p.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(src, &v); err != nil {
		t.Fatal(err)
	}
	evened(v)
	return v
}

// evened takes out the order of published ports, which says nothing.
func evened(v map[string]any) {
	services, _ := v["services"].(map[string]any)
	for _, s := range services {
		delete(s.(map[string]any), "extends") // it stays where what it names is null
		if ports, ok := s.(map[string]any)["ports"].([]any); ok {
			slices.SortFunc(ports, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
	}
}

// judge holds our reading of a directory against compose-go's. It reports whether compose-go takes the files at all.
func judge(t testing.TB, dir string, files []string) bool {
	t.Helper()
	ours := Load(os.DirFS(dir), Options{Files: files, Name: filepath.Base(dir)})
	all := []string{"*"}
	theirs, err := composed(t, dir, files, all)
	// compose-go takes the services in any order, and in some sees a circle in two services of one name in two files.
	for range 30 {
		if err == nil || !strings.HasPrefix(err.Error(), "Circular reference") || len(ours.Faults) > 0 {
			break
		}
		theirs, err = composed(t, dir, files, all)
	}
	switch {
	case len(ours.Unread) > 0:
		t.Errorf("unread: %+v", ours.Unread)
		return false
	case err == nil && len(ours.Faults) > 0:
		t.Errorf("compose-go takes it, and here it is refused: %+v", ours.Faults)
		return false
	case err == nil && ours.File == nil:
		t.Error("nothing was read")
		return false
	case ours.File == nil:
		return false
	}
	merged, errMerged := reloaded(ours, dir, theirs, all)
	switch {
	case err != nil && errMerged == nil && len(ours.Faults) == 0:
		t.Errorf("compose-go refuses it, and takes what is made of it here: %v", err)
		return false
	case err != nil:
		return false
	case errMerged != nil:
		t.Errorf("compose-go refuses what is made of it here: %v", errMerged)
		return false
	}
	if diff := cmp.Diff(plainJSON(t, theirs), plainJSON(t, merged)); diff != "" {
		t.Errorf("- compose-go, + ours:\n%s", diff)
		return false
	}
	for name, s := range ours.File.At("services").Entries() {
		if is := theirs.Services[name.Str()]; ours.Runs(s) != is.HasProfile(ours.Profiles()) {
			t.Errorf("%s runs: %v; COMPOSE_PROFILES=%s", name.Str(), ours.Runs(s), theirs.Environment["COMPOSE_PROFILES"])
		}
	}
	for name, s := range ours.File.At("services").Entries() {
		is := theirs.Services[name.Str()]
		env, hidden := ours.Environment(s)
		got := make(map[string]string)
		for _, e := range env {
			if e.Handed {
				e.Text = "(handed through)"
			}
			got[e.Name] = e.Text
		}
		want := make(map[string]string)
		for key, text := range is.Environment {
			if want[key] = "(handed through)"; text != nil {
				want[key] = *text
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || hidden != "" {
			t.Errorf("the environment of %s (- compose-go, + ours) %s:\n%s", name.Str(), hidden, diff)
		}
		labels, hidden := ours.Labels(s)
		got = make(map[string]string)
		for _, l := range labels {
			got[l.Name] = l.Text
		}
		if diff := cmp.Diff(map[string]string(is.Labels), got, cmpopts.EquateEmpty()); diff != "" || hidden != "" {
			t.Errorf("the labels of %s (- compose-go, + ours) %s:\n%s", name.Str(), hidden, diff)
		}
	}
	return !t.Failed()
}

func show(files map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&b, "-- %s --\n%s", name, files[name])
	}
	return b.String()
}
