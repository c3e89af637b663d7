apiVersion: v1
kind: Service
metadata:
  name: {{ include "broker.name" . }}
  labels: {{- include "broker.labels" . | nindent 4 }}
spec:
  clusterIP: None
  selector: {{- include "broker.selector" . | nindent 4 }}
  ports:
    - name: mqtt
      port: {{ .Values.port }}
      targetPort: mqtt
