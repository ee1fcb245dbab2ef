package oktest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"

	okerrors "github.com/go-okru/okru/errors"
)

// paymentCodes are the codes that a program may respond with.
var paymentCodes = map[okerrors.Code]bool{
	okerrors.CodeUnknown:                true,
	okerrors.CodeService:                true,
	okerrors.CodeParamSignature:         true,
	okerrors.CodeCallbackInvalidPayment: true,
	okerrors.CodeSystem:                 true,
}

// readPaymentResponse returns the code in a response, 0 if it accepts the
// payment. The error states why the response is none that OK documents.
func readPaymentResponse(resp *http.Response, body []byte) (okerrors.Code, error) {
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("status %d, want 200", resp.StatusCode)
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "application/xml" {
		return 0, fmt.Errorf("Content-Type %.40q, want application/xml", kind)
	}
	root, err := readPaymentXML(body)
	if err != nil {
		return 0, err
	}
	header := resp.Header.Get("Invocation-error")
	switch root.XMLName.Local {
	case "callbacks_payment_response":
		if root.Text != "true" || header != "" {
			return 0, errors.New("callbacks_payment_response without true, or with a header Invocation-error")
		}
		return 0, nil
	case "error_response":
		if header != strconv.Itoa(int(root.Code)) || !paymentCodes[root.Code] {
			return 0, fmt.Errorf("error_code %d with the header Invocation-error %.20q, want a code of callbacks.payment in both", root.Code, header)
		}
		return root.Code, nil
	}
	return 0, fmt.Errorf("XML element %.40q, want callbacks_payment_response or error_response", root.XMLName.Local)
}

// A paymentXML is the body of a response.
type paymentXML struct {
	XMLName xml.Name
	Text    string        `xml:",chardata"`
	Code    okerrors.Code `xml:"error_code"`
}

// paymentXMLSpace is the namespace of the responses.
const paymentXMLSpace = "http://api.forticom.com/1.0/"

// readPaymentXML returns the only element of body.
func readPaymentXML(body []byte) (root paymentXML, err error) {
	body = bytes.TrimSpace(body)
	d := xml.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&root); err != nil || body[0] != '<' {
		return root, errors.New("the body is not XML")
	}
	if d.InputOffset() != int64(len(body)) {
		return root, errors.New("something follows the XML")
	}
	if root.XMLName.Space != paymentXMLSpace {
		return root, fmt.Errorf("the XML is not in the namespace %s", paymentXMLSpace)
	}
	return root, nil
}
