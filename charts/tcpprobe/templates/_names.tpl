{{/* The image of the manager and of the probe pods: one, since the admission policy compares them as they are written. */}}
{{- define "tcpprobe.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "tcpprobe.probeNamespace" -}}
{{- if eq .Values.probeNamespace .Release.Namespace -}}
{{- fail (printf "probeNamespace is %s, the namespace of this release: probe pods need a namespace of their own, because of their privileges; set another" .Values.probeNamespace) -}}
{{- end -}}
{{ .Values.probeNamespace }}
{{- end -}}
