package deployment

import (
	"testing"
)

// Two namespaces overlap when an id of the server is in both, by Python's re.match.
func TestCommon(t *testing.T) {
	const server = "example.org"
	for _, c := range []struct{ a, b, want string }{
		{`^@signal_.*:example\.org$`, `^@signalbot:example\.org$`, ""},
		{`^@signal_.*:example\.org$`, `^@signal_.*:example\.org$`, "@signal_:example.org"},
		{`^@signal_.*:example\.org$`, `@sig.*`, "@signal_:example.org"},
		{`@telegram_.*`, `@.*bot:example.org`, "@telegram_bot:example.org"},
		{`@telegram_\d+:.*`, `@telegram_[a-z]+:.*`, ""},
		{`@telegram_\d+:.*`, `@telegram_[a-z]*\d`, "@telegram_0:example.org"},
		{`@(?:a|b)x:example\.org`, `@(?:b|c)x:example\.org`, "@bx:example.org"},
		{`@bot`, `@bot\b`, "@bot:example.org"},
		{`@bot`, `@bot\B`, "@bot0:example.org"},
		{`@a:other\.org`, `@a.*`, ""},
		{`(?i)@A:example\.org`, `@a:EXAMPLE\.org`, ""},
		{`(?i)@A:example\.org`, `@a:example\.org`, "@a:example.org"},
		{`@a$`, `@a.*`, ""},
		{``, `@z:example\.org`, "@z:example.org"},
		{`@(?!x)a`, `@a`, ""},
	} {
		d := &Deployment{patterns: make(map[string]*Pattern)}
		all, alphabet := d.Ids("@", server)
		if got, _ := (&Search{Budget: 1e5}).Common(alphabet, d.Pattern(c.a), d.Pattern(c.b), all); got != c.want {
			t.Errorf("%s and %s have %q in common, want %q", c.a, c.b, got, c.want)
		}
		if got, _ := (&Search{Budget: 1e5}).Common(alphabet, d.Pattern(c.b), d.Pattern(c.a), all); got != c.want {
			t.Errorf("%s and %s have %q in common, want %q", c.b, c.a, got, c.want)
		}
	}
}

// Expressions that nobody would write end the search, not the check.
func TestCommonGivesUp(t *testing.T) {
	d := &Deployment{patterns: make(map[string]*Pattern)}
	all, alphabet := d.Ids("@", "example.org")
	s := Search{Budget: 1e5}
	id, ok := s.Common(alphabet, d.Pattern(`@((a|b)?(c|d)?){300}x`), d.Pattern(`@.*(a|c).{200}y`), all)
	if ok || s.Budget > 0 {
		t.Errorf("found %q with %d steps left", id, s.Budget)
	}
}

// What Python's re refuses is wrong; what only Go's refuses is not.
func TestPattern(t *testing.T) {
	d := &Deployment{patterns: make(map[string]*Pattern)}
	for expr, want := range map[string]struct{ bad, told bool }{
		`@a_.*:example\.org`: {false, true},
		`@a_(?!bot).*`:       {false, false},
		`@(a)\1`:             {false, false},
		`@a{2000}`:           {false, false},
		`@a_(.*`:             {true, false},
		`@a)(b`:              {true, false},
		`@*`:                 {false, true},
		`*@a`:                {true, false},
		`@a\z`:               {true, false},
		`@a\\z`:              {false, true},
		`@[[`:                {true, false},
	} {
		if p := d.Pattern(expr); p.Bad != want.bad || (p.Re != nil) != want.told {
			t.Errorf("%s: bad %v, told %v", expr, p.Bad, p.Re != nil)
		}
	}
}
