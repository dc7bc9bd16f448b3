package compare

import "testing"

// What Synapse takes for one time or size is one here (synapse/config/_base.py).
func TestUnits(t *testing.T) {
	for text, want := range map[string]float64{"1000": 1000, "1s": 1000, "60m": 3600e3, "1h": 3600e3, "24h": 86400e3, "1d": 86400e3, "1w": 7 * 86400e3, "1y": 365 * 86400e3} {
		if n, ok := milliseconds(text); !ok || n != want {
			t.Errorf("%s is %v ms, not %v", text, n, want)
		}
	}
	for text, want := range map[string]int64{"1024": 1024, "1K": 1024, "50M": 50 << 20, "1G": 1 << 30} {
		if n, ok := bytesOf(text); !ok || n != want {
			t.Errorf("%s is %d bytes, not %d", text, n, want)
		}
	}
	for _, text := range []string{"", "d", "1x", "one", "1dd", "50MB", "-"} {
		if n, ok := milliseconds(text); ok {
			t.Errorf("%q is no time, and taken for %v ms", text, n)
		}
		if n, ok := bytesOf(text); ok {
			t.Errorf("%q is no size, and taken for %d bytes", text, n)
		}
	}
}

// A pattern of a namespace is the same with a dot that stands for itself and with one that is meant so.
func TestPatternsOfNamespaces(t *testing.T) {
	for pattern, want := range map[string]string{
		`^@bot:a.example.org$`: `@bot:a\.example\.org`, `@bot:a\.example\.org`: `@bot:a\.example\.org`, `@x_.*:a.b.c`: `@x_.*:a\.b\.c`, `@x_.+`: `@x_.+`,
	} {
		if got := trimmed(pattern); got != want {
			t.Errorf("%s is %s, and not %s", pattern, got, want)
		}
	}
}
