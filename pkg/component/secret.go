package component

// Secret is a secret of a stack, by its name in secrets.yaml: below bridges.NAME for a bridge. A word in braces
// stands for what the stack has there.
type Secret struct {
	Name string
	Kind Kind
	// Where says for an External where a person gets it.
	Where string
	// Breaks says what rotating breaks; "" when it is safe after a render and `docker compose up -d`.
	Breaks string
	// Kept: it is held to its value, and another one has to be asked for.
	Kept bool
	// Remembers names the OldKeys that keep the public half of an old value.
	Remembers string
	// Inherits: a bridge that ran before its Move has the key that stood in the code then.
	Inherits bool
	// Fake is the value in the program's own example, which nobody was given.
	Fake string
	// Form and FormHelp say what a valid External looks like: a pattern, and the same in words.
	Form, FormHelp string
	// Example is an obviously fake value that satisfies Form.
	Example string
}

// Kind is the format of a secret and tells how it is made.
type Kind int

// The kinds.
const (
	// Token is 43 letters and digits (256 bit). A given one may be any text.
	Token Kind = iota
	// Hex32 is 32 bytes as 64 hexadecimal digits.
	Hex32
	// RSAPEM is an RSA private key of 2048 bit, PKCS#8 in PEM.
	RSAPEM
	// ECPEM is a private key on P-256, PKCS#8 in PEM.
	ECPEM
	// SigningKey is the one line of Synapse's signing key: ed25519, key id, unpadded base64 of the seed.
	SigningKey
	// ULID is an identifier as MAS wants for its OAuth clients and upstream providers.
	ULID
	// Localpart is 32 lower-case letters and digits. A given one may be any text, of which that is used.
	Localpart
	// OldKeys are the public halves of signing keys that were replaced, one `KEY_ID KEY EXPIRED` on each line,
	// EXPIRED in milliseconds since 1970. Only rotating makes it, and a stack without it lacks nothing.
	OldKeys
	// External is what only a third party can give out; it is never made here.
	External
)

// String names the kind in one word.
func (k Kind) String() string {
	switch k {
	case Token:
		return "token"
	case Hex32:
		return "hex32"
	case RSAPEM:
		return "rsa-pem"
	case ECPEM:
		return "ec-pem"
	case SigningKey:
		return "signing-key"
	case ULID:
		return "ulid"
	case Localpart:
		return "localpart"
	case OldKeys:
		return "old-keys"
	case External:
		return "external"
	}
	return "unknown"
}
