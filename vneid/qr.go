package vneid

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"
)

// QRState is where the QR code of a login stands.
type QRState string

const (
	QRCreated   QRState = "created"
	QRScanned   QRState = "scanned"
	QRConfirmed QRState = "confirmed"
	QRRefused   QRState = "refused"
	QRExpired   QRState = "expired"
	QRReplaced  QRState = "replaced" // by a newer one of the same login
)

// QREvent is what can happen to a QR code.
type QREvent string

const (
	QREventScanned   QREvent = "scanned"
	QREventConfirmed QREvent = "confirmed"
	QREventRefused   QREvent = "refused"
	QREventExpired   QREvent = "expired"
	QREventReplaced  QREvent = "replaced"
)

// qrTable is the whole machine, as loginTable is for logins. A state without a
// row is final.
var qrTable = map[QRState]map[QREvent]QRState{
	QRCreated: {
		QREventScanned:  QRScanned,
		QREventExpired:  QRExpired,
		QREventReplaced: QRReplaced,
	},
	QRScanned: {
		QREventScanned:   QRScanned, // by the same phone: an answer was lost, or the page reloaded
		QREventConfirmed: QRConfirmed,
		QREventRefused:   QRRefused,
		QREventExpired:   QRExpired,
		QREventReplaced:  QRReplaced,
	},
	QRExpired: {
		QREventReplaced: QRReplaced,
	},
}

// QRTransitions lists the machine for documentation and tests.
func QRTransitions() (list [][3]string) {
	for from, row := range qrTable {
		for event, to := range row {
			list = append(list, [3]string{string(from), string(event), string(to)})
		}
	}
	slices.SortFunc(list, func(a, b [3]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
	return list
}

// QR is the live QR code of a login: there is never more than one. The code
// names the login; what proves that somebody saw it is the rest, which nobody
// can compute without the world's salt and which changes with every generation.
type QR struct {
	State       QRState
	Generation  int    // counts the codes of this login, from 1
	ShortHash   string // keyed hash of the code that people type
	BrowserHash string // of the secret that the browser showing this generation holds; it is not in the code
	ExpiresAt   time.Time
	DeviceID    string // of the phone that scanned, the only one that may settle it
	CCCD        CCCD   // whose phone that is
	ScannedAt   time.Time
	Match       int // number matching: the two digits on the page, 0 = off
}

// Apply moves the code, or says why it cannot move. A code past its time
// becomes expired whatever was asked.
func (q *QR) Apply(e QREvent, now time.Time) error {
	if q.Expired(now) && e != QREventExpired && e != QREventReplaced {
		if _, ok := qrTable[q.State][QREventExpired]; ok {
			q.State = QRExpired
		}
		return Errorf(CodeExpired, "qr_expired", "the QR code was valid until %s", q.ExpiresAt.UTC().Format(time.RFC3339))
	}
	to, ok := qrTable[q.State][e]
	if !ok {
		return Errorf(CodeConflict, "qr_used", "%s is not possible in state %s", e, q.State)
	}
	q.State = to
	return nil
}

// Expired reports whether the code's time is over though nobody moved it.
func (q *QR) Expired(now time.Time) bool {
	return q.State == QRExpired || (q.State == QRCreated || q.State == QRScanned) && !now.Before(q.ExpiresAt)
}

// newQR begins the next generation of a login's code. The waiting secret goes
// to the browser that will show it, and to nobody else.
func (l *Login) newQR(r Rand, salt []byte, p Policy, now time.Time) (waiting string) {
	waiting = NewSecret(r)
	l.QR = QR{State: QRCreated, Generation: l.QR.Generation + 1, BrowserHash: SecretHash(waiting), ExpiresAt: now.Add(p.QRLifetime)}
	l.QR.ShortHash = qrShortHash(salt, qrShort(salt, l.ID, l.QR.Generation))
	return waiting
}

const (
	qrLoginLen   = 8 // characters of the login's id, 48 bits
	qrProofBytes = 7
	qrShortLen   = 8 // 40 bits in Crockford's base32
)

// qrText writes what follows the address in a code: capitals and digits take
// five and a half bits each (ISO/IEC 18004, alphanumeric mode), other letters
// eight, and fewer bits make a smaller code.
var qrText = base32.StdEncoding.WithPadding(base32.NoPadding)

// QRCode is what the live code says: a link to the phone app. It is computed
// from the login, so a page that is shown again shows the same code though
// only hashes rest in the store. app is the app's address for codes.
func (l *Login) QRCode(app string, salt []byte) string {
	b, _ := base64.RawURLEncoding.DecodeString(l.ID[:qrLoginLen]) // ids come from NewID
	return app + "/" + qrText.EncodeToString(append(b, qrProof(salt, l.ID, l.QR.Generation)...))
}

// QRShort is the same for people who type it: two groups of four.
func (l *Login) QRShort(salt []byte) string {
	s := qrShort(salt, l.ID, l.QR.Generation)
	return s[:4] + "-" + s[4:]
}

func qrMAC(salt []byte, use, login string, generation int) []byte {
	m := hmac.New(sha256.New, salt)
	m.Write([]byte(use + "\x00" + login + "\x00"))
	m.Write(binary.BigEndian.AppendUint64(nil, uint64(generation)))
	return m.Sum(nil)
}

func qrProof(salt []byte, login string, generation int) string {
	return string(qrMAC(salt, "qr", login, generation)[:qrProofBytes])
}

// crockford leaves out I, L, O and U: nobody confuses what is left.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func qrShort(salt []byte, login string, generation int) string {
	mac := qrMAC(salt, "qr-short", login, generation)
	b := make([]byte, qrShortLen)
	for i := range b {
		b[i] = crockford[mac[i]&31]
	}
	return string(b)
}

func qrShortHash(salt []byte, short string) string { return keyedID(salt, "qr-short", short) }

// QRScan is what a phone read or a person typed: the start of a login's id with
// the proof that its code was seen, or a short code.
type QRScan struct {
	Login, Proof string
	Short        string
}

// ParseQR reads the content of a QR code, or the short code as people type it.
// app is the address that our codes begin with, in capitals or not: a browser
// that opened a code writes the host its own way. Everything else, such as the
// code on an identity card or of another environment, is an [Error] qr_foreign
// that says so.
func ParseQR(app, text string) (QRScan, error) {
	const longest = 2048 // bytes; a QR code holds no more than 2953
	text = strings.TrimSpace(text)
	if text == "" {
		return QRScan{}, Errorf(CodeInvalid, "qr_empty", "no code was given")
	}
	if len(text) > longest {
		return QRScan{}, Errorf(CodeInvalid, "qr_foreign", "%d bytes are no code of ours", len(text))
	}
	code := text
	if n := len(app); len(text) > n && text[n] == '/' && strings.EqualFold(text[:n], app) {
		code = text[n+1:]
	}
	if raw, err := qrText.DecodeString(code); err == nil && qrText.EncodeToString(raw) == code {
		if n := len(raw) - qrProofBytes; n == qrLoginLen*3/4 {
			return QRScan{Login: base64.RawURLEncoding.EncodeToString(raw[:n]), Proof: string(raw[n:])}, nil
		}
	}
	if short, ok := parseShort(text); ok {
		return QRScan{Short: short}, nil
	}
	return QRScan{}, Errorf(CodeInvalid, "qr_foreign", "neither a code of %s nor a short code", app)
}

// parseShort forgives case, gaps, and the letters that Crockford's base32 maps
// to digits.
func parseShort(text string) (string, bool) {
	if len(text) > 64 {
		return "", false
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(text) {
		switch {
		case r == ' ' || r == '-' || r == '.' || r == '\u00a0':
			continue
		case r == 'O':
			r = '0'
		case r == 'I' || r == 'L':
			r = '1'
		}
		if !strings.ContainsRune(crockford, r) {
			return "", false
		}
		b.WriteRune(r)
	}
	return b.String(), b.Len() == qrShortLen
}

// checkQR says whether a phone that shows this scan saw the live code.
func (l *Login) checkQR(salt []byte, scan QRScan) error {
	if scan.Short != "" {
		if !constantTimeEqual(l.QR.ShortHash, qrShortHash(salt, scan.Short)) {
			return Errorf(CodeNotFound, "qr_unknown", "the short code belongs to no login")
		}
		return nil
	}
	if len(scan.Login) != qrLoginLen || !strings.HasPrefix(l.ID, scan.Login) {
		return Errorf(CodeNotFound, "qr_unknown", "the code is that of another login")
	}
	if constantTimeEqual(qrProof(salt, l.ID, l.QR.Generation), scan.Proof) {
		return nil
	}
	for g := l.QR.Generation - 1; g > 0 && g > l.QR.Generation-20; g-- {
		if constantTimeEqual(qrProof(salt, l.ID, g), scan.Proof) {
			return Errorf(CodeExpired, "qr_replaced", "code %d of the login was replaced by code %d", g, l.QR.Generation)
		}
	}
	return Errorf(CodeNotFound, "qr_unknown", "the login exists, the proof is not that of its code")
}

// MatchChoices are the numbers that the phone offers when number matching is
// on: the one on the page and two others, in an order that says nothing.
func (l *Login) MatchChoices(salt []byte) []int {
	if l.QR.Match == 0 {
		return nil
	}
	mac := qrMAC(salt, "qr-match", l.ID, l.QR.Generation)
	list := []int{l.QR.Match}
	for i := 0; len(list) < 3 && i+1 < len(mac); i += 2 {
		if n := 10 + int(binary.BigEndian.Uint16(mac[i:]))%90; !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	for n := 10; len(list) < 3; n++ { // sixteen equal draws: never seen, never wrong
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list
}

// scannedBy is the name of who scanned the live code, shortened.
func scannedBy(tx Tx, l *Login) (string, error) {
	if l.State != StateStarted || l.QR.State != QRScanned {
		return "", nil
	}
	a, err := tx.Account(l.QR.CCCD)
	if errors.Is(err, ErrNotFound) {
		return "", nil // deleted meanwhile: the confirmation will say so
	}
	if err != nil {
		return "", err
	}
	return ScannedBy(a.Name), nil
}

// ScannedBy is how the waiting page names who scanned: enough for the person to
// recognise themselves, too little to learn who somebody is.
func ScannedBy(name string) string {
	words := strings.Fields(name)
	for i := 1; i < len(words); i++ {
		first, _ := cutRune(words[i])
		words[i] = first + "**"
	}
	if len(words) == 1 {
		first, _ := cutRune(words[0])
		return first + "**"
	}
	return strings.Join(words, " ")
}

func cutRune(s string) (first, rest string) {
	for i := range s {
		if i > 0 {
			return s[:i], s[i:]
		}
	}
	return s, ""
}
