package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"sigs.k8s.io/yaml"
)

// packChart is the chart as an archive of this version. Helm's own packing writes the times of the files, which every
// checkout has anew.
func (r release) packChart() ([]byte, error) {
	c, err := loader.Load(r.chart)
	if err != nil {
		return nil, err
	}
	c.Metadata.Version, c.Metadata.AppVersion = r.version, r.version
	if err := c.Validate(); err != nil {
		return nil, err
	}
	files, err := chartFiles(c)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	w := tar.NewWriter(compressed)
	for _, f := range files {
		header := &tar.Header{Name: f.Name, Mode: 0o644, Size: int64(len(f.Data)), ModTime: r.time, Format: tar.FormatUSTAR}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := compressed.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// file is one of a chart.
type file = common.File

// chartFiles are the chart's files under its name, in lexical order but for Chart.yaml, which Helm looks for first.
func chartFiles(c *chart.Chart) ([]*file, error) {
	if len(c.Dependencies()) > 0 {
		return nil, fmt.Errorf("%s has charts inside, which are not packed yet", c.Name())
	}
	description, err := yaml.Marshal(c.Metadata)
	if err != nil {
		return nil, err
	}
	var files []*file
	for _, f := range c.Raw {
		if f.Name != "Chart.yaml" {
			files = append(files, &file{Name: path.Join(c.Name(), f.Name), Data: f.Data})
		}
	}
	slices.SortFunc(files, func(a, b *common.File) int { return strings.Compare(a.Name, b.Name) })
	return slices.Insert(files, 0, &file{Name: path.Join(c.Name(), "Chart.yaml"), Data: description}), nil
}
