export function IstioConfigPage() {
  return null;
}
