package component

import "testing"

func TestTagProblem(t *testing.T) {
	for _, tt := range []struct {
		program      Program
		tag, instead string
	}{
		{Synapse, "v1.157.1", ""},
		{Synapse, "v1.160.0rc1", ""},
		{Synapse, "1.157.1", "v1.157.1"},
		{Synapse, "v1.157", "v1.157.0"},
		{Synapse, "1.157", "v1.157.0"},
		{MAS, "1.22.0", ""},
		{MAS, "1.22", ""},
		{MAS, "1.22.0-debug", ""},
		{MAS, "1.23.0-rc.0", ""},
		{MAS, "v1.22.0", "1.22.0"},
		{MAS, "v1.22", "1.22"},
		{Postgres, "17", ""},
		{Postgres, "17.6", ""},
		{Postgres, "17-alpine", ""},
		{Postgres, "17.6-alpine3.22", ""},
		{Postgres, "18-trixie", ""},
		{Postgres, "v17", "17"},
		{Postgres, "17.6.0", "17.6"},
		{Signal, "v0.2608.0", ""},
		{Signal, "v26.08", ""},
		{Signal, "v26.08.1", ""},
		{Signal, "26.08", "v26.08"},
		{Signal, "v26.8", "v26.08"},
		{Signal, "26.8.1", "v26.08.1"},
		{Signal, "0.2608.0", "v0.2608.0"},
		{Signal, "v0.2608", "v0.2608.0"},
		{Telegram, "v0.15.3", ""},
		{Telegram, "0.15.3", "v0.15.3"},
		{Discord, "v0.7.7", ""},
		{Discord, "0.7.7", "v0.7.7"},
		{Meta, "v0.2608.0", ""},
		{Instagram, "ig-v0.2608.0", ""},
		{Instagram, "ig-0.2608.0", "ig-v0.2608.0"},
		{Instagram, "v26.08", "ig-v26.08"},
		{Synapse, "latest", ""},
		{Traefik, "3.7", ""},
	} {
		if got := Of(tt.program).TagProblem(tt.tag); got != tt.instead {
			t.Errorf("%s:%s should be %q, want %q", tt.program, tt.tag, got, tt.instead)
		}
	}
	for _, c := range All {
		if got := c.TagProblem(c.Tested.Tag); got != "" {
			t.Errorf("the tested tag %s of %s should be %s", c.Tested.Tag, c.Program, got)
		}
	}
}
