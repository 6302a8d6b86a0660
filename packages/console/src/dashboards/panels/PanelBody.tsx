import { navigate } from 'wouter/use-browser-location';
import { LogLines } from '../../explore/LogLines.tsx';
import type { BasePanel } from '../model.ts';
import type { Annotation } from '../useAnnotations.ts';
import type { PanelData } from '../usePanelData.ts';
import { type InterpolationContext, interpolate } from '../variables.ts';
import { BarGaugePanel } from './BarGaugePanel.tsx';
import { GaugePanel } from './GaugePanel.tsx';
import { HeatmapPanel } from './HeatmapPanel.tsx';
import { StatPanel } from './StatPanel.tsx';
import { TablePanel } from './TablePanel.tsx';
import { TextPanel } from './TextPanel.tsx';
import { TimeSeriesPanel } from './TimeSeriesPanel.tsx';
import { TracesPanel } from './TracesPanel.tsx';

export interface PanelBodyProps {
  panel: BasePanel;
  data: PanelData;
  context: InterpolationContext;
  annotations: readonly Annotation[];
  height: number;
}

export function PanelBody(props: PanelBodyProps) {
  const { panel, data, context } = props;
  switch (panel.type) {
    case 'timeseries':
    case 'graph':
      return <TimeSeriesPanel {...props} onOpen={navigate} />;
    case 'stat':
    case 'singlestat':
      return <StatPanel {...props} />;
    case 'gauge':
      return <GaugePanel {...props} />;
    case 'bargauge':
    case 'piechart':
    case 'barchart':
      return <BarGaugePanel {...props} />;
    case 'table':
    case 'table-old':
      return <TablePanel {...props} />;
    case 'heatmap':
      return <HeatmapPanel {...props} />;
    case 'logs':
      return <LogLines lines={data.lines} isInline />;
    case 'traces':
      return <TracesPanel {...props} />;
    case 'text':
      return (
        <TextPanel
          content={interpolate(panel.options?.content ?? '', context)}
          mode={panel.options?.mode ?? 'markdown'}
        />
      );
    default:
      return null;
  }
}
