{{- define "podinfo.fullname" -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}-podinfo
{{- end }}
{{- define "podinfo.selectorLabels" -}}
app.kubernetes.io/name: {{ include "podinfo.fullname" . }}
{{- end }}
{{- define "podinfo.labels" -}}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{ include "podinfo.selectorLabels" . }}
{{- end }}
