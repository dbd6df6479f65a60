package rtmp

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Limits of an AMF0 body. Its size is limited where messages are read.
const (
	maxDepth  = 16
	maxValues = 4096
)

// AMF0 type markers (AMF0 section 2.1).
const (
	amfNumber      = 0x00
	amfBool        = 0x01
	amfString      = 0x02
	amfObject      = 0x03
	amfNull        = 0x05
	amfUndefined   = 0x06
	amfECMAArray   = 0x08
	amfObjectEnd   = 0x09
	amfStrictArray = 0x0a
	amfDate        = 0x0b
	amfLongString  = 0x0c
	amfUnsupported = 0x0d
	amfXML         = 0x0f
	amfTypedObject = 0x10
)

// object is an AMF0 object or ECMA array in the order of the wire. Values are float64, bool, string, nil, object
// or []any.
type object []property

type property struct {
	name  string
	value any
}

// text returns a property when it is a string.
func (o object) text(name string) (string, bool) {
	for _, p := range o {
		if p.name == name {
			s, ok := p.value.(string)
			return s, ok
		}
	}
	return "", false
}

func (o object) has(name string) bool {
	for _, p := range o {
		if p.name == name {
			return true
		}
	}
	return false
}

// decodeAMF reads all values of a body. Strings are copied, so b may be reused.
func decodeAMF(b []byte) ([]any, error) {
	d := amfDecoder{b: b}
	var values []any
	for len(d.b) > 0 {
		v, err := d.value(0)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

type amfDecoder struct {
	b     []byte
	count int
}

func amfErrorf(format string, a ...any) error {
	return protocolErrorf("AMF0: "+format, a...)
}

func (d *amfDecoder) take(n int) ([]byte, error) {
	if n > len(d.b) {
		return nil, amfErrorf("%d bytes wanted, %d left", n, len(d.b))
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out, nil
}

func (d *amfDecoder) value(depth int) (any, error) {
	if d.count++; d.count > maxValues {
		return nil, amfErrorf("more than %d values", maxValues)
	}
	marker, err := d.take(1)
	if err != nil {
		return nil, err
	}
	switch marker[0] {
	case amfNumber:
		b, err := d.take(8)
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
	case amfBool:
		b, err := d.take(1)
		if err != nil {
			return nil, err
		}
		return b[0] != 0, nil
	case amfString:
		return d.text(2)
	case amfLongString, amfXML:
		return d.text(4)
	case amfNull, amfUndefined, amfUnsupported:
		return nil, nil
	case amfDate:
		_, err := d.take(10)
		return nil, err
	}
	return d.container(marker[0], depth+1)
}

func (d *amfDecoder) container(marker byte, depth int) (any, error) {
	if depth > maxDepth {
		return nil, amfErrorf("nested deeper than %d", maxDepth)
	}
	switch marker {
	case amfObject:
		return d.properties(depth)
	case amfTypedObject:
		if _, err := d.text(2); err != nil {
			return nil, err
		}
		return d.properties(depth)
	case amfECMAArray:
		if _, err := d.length(); err != nil {
			return nil, err
		}
		return d.properties(depth)
	case amfStrictArray:
		n, err := d.length()
		if err != nil {
			return nil, err
		}
		var out []any
		for range n {
			v, err := d.value(depth)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	return nil, amfErrorf("type %#02x is not accepted", marker)
}

// length reads how many entries an array announces; encoders get it wrong for ECMA arrays, so it only bounds.
func (d *amfDecoder) length() (int, error) {
	b, err := d.take(4)
	if err != nil {
		return 0, err
	}
	n := binary.BigEndian.Uint32(b)
	if n > maxValues {
		return 0, amfErrorf("array of %d entries", n)
	}
	return int(n), nil
}

func (d *amfDecoder) text(sizeBytes int) (string, error) {
	b, err := d.take(sizeBytes)
	if err != nil {
		return "", err
	}
	n := int(b[0])<<8 | int(b[1])
	if sizeBytes == 4 {
		n = n<<16 | int(b[2])<<8 | int(b[3])
	}
	if b, err = d.take(n); err != nil {
		return "", err
	}
	return string(b), nil
}

func (d *amfDecoder) properties(depth int) (object, error) {
	o := object{}
	for {
		name, err := d.text(2)
		if err != nil {
			return nil, err
		}
		if name == "" && len(d.b) > 0 && d.b[0] == amfObjectEnd {
			d.b = d.b[1:]
			return o, nil
		}
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		o = append(o, property{name, v})
	}
}

// encodeAMF writes values of the types that decodeAMF returns, and int. Any other type is a bug and panics.
func encodeAMF(values ...any) []byte {
	var b []byte
	for _, v := range values {
		b = appendAMF(b, v)
	}
	return b
}

func appendAMF(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, amfNull)
	case bool:
		if v {
			return append(b, amfBool, 1)
		}
		return append(b, amfBool, 0)
	case int:
		return appendAMF(b, float64(v))
	case float64:
		return binary.BigEndian.AppendUint64(append(b, amfNumber), math.Float64bits(v))
	case string:
		if len(v) > math.MaxUint16 {
			return append(binary.BigEndian.AppendUint32(append(b, amfLongString), uint32(len(v))), v...)
		}
		return appendName(append(b, amfString), v)
	case []any:
		b = binary.BigEndian.AppendUint32(append(b, amfStrictArray), uint32(len(v)))
		for _, e := range v {
			b = appendAMF(b, e)
		}
		return b
	case object:
		b = append(b, amfObject)
		for _, p := range v {
			b = appendAMF(appendName(b, p.name), p.value)
		}
		return append(b, 0, 0, amfObjectEnd)
	}
	panic(fmt.Sprintf("rtmp: %T has no AMF0 form", v))
}

func appendName(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}
