{{- range .Values.cameras }}
---
apiVersion: vision.example.com/v1alpha1
kind: Camera
metadata:
  name: {{ $.Release.Name }}-{{ .name }}
  labels: {{- include "detector.labels" $ | nindent 4 }}
spec:
  url: {{ .url | quote }}
  framesPerSecond: {{ .framesPerSecond | default 5 }}
  {{- with .zones }}
  zones: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
