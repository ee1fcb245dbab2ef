package subject

import (
	"context"
	"io"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	restyv2 "github.com/go-resty/resty/v2"
	resty "resty.dev/v3"
)

// RestyV3 is the name of a subject that is compared with others.
const RestyV3 = "resty v3"

// clients are peers that build the request themselves, for every call, and
// read the response before they return it.
func clients() []Subject {
	return []Subject{
		{Name: "resty v2", Job: Retries | HoldsAnswers, New: newRestyV2},
		{Name: RestyV3, Telling: true, Job: Retries | HoldsAnswers, New: newRestyV3},
		{Name: "azcore pipeline", Telling: true, Job: Retries | Observes | HoldsAnswers, New: newAzcore},
	}
}

func newRestyV2(t Target) (Call, error) {
	c := restyv2.NewWithClient(&http.Client{Transport: t.Base}).SetRetryCount(3).
		AddRetryCondition(func(resp *restyv2.Response, err error) bool { return err != nil || resp.StatusCode() >= 500 })
	return func(to io.Writer) error {
		resp, err := c.R().Get(t.URL)
		if err != nil {
			return err
		}
		_, err = to.Write(resp.Body())
		return join(resp.StatusCode(), err, nil)
	}, nil
}

func newRestyV3(t Target) (Call, error) {
	c := resty.NewWithClient(&http.Client{Transport: t.Base}).SetRetryCount(3).AddRetryConditions(resty.RetryConditionStatus5XX)
	return func(to io.Writer) error {
		resp, err := c.R().Get(t.URL)
		if err != nil {
			return err
		}
		_, err = to.Write(resp.Bytes())
		return join(resp.StatusCode(), err, nil)
	}, nil
}

func newAzcore(t Target) (Call, error) {
	p := runtime.NewPipeline("bench", "v1.0.0", runtime.PipelineOptions{},
		&policy.ClientOptions{Transport: &http.Client{Transport: t.Base}})
	return func(to io.Writer) error {
		r, err := runtime.NewRequest(context.Background(), http.MethodGet, t.URL)
		if err != nil {
			return err
		}
		resp, err := p.Do(r)
		if err != nil {
			return err
		}
		_, copyErr := io.Copy(to, resp.Body)
		return join(resp.StatusCode, copyErr, resp.Body.Close())
	}, nil
}
