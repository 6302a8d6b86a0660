import { BuildsCard } from './BuildsCard.tsx';
import { FirstSteps } from './FirstSteps.tsx';
import { GoldenSignals } from './GoldenSignals.tsx';
import { AlertsCard, BackendsCard, PodsCard, ReleasesCard } from './HealthCards.tsx';
import { HealthStrip } from './HealthStrip.tsx';
import classes from './home.module.css';

/** What runs, how it is, what to do first. */
export function HomePage() {
  return (
    <div className="page">
      <div className="page-head">
        <h1>Your lab</h1>
      </div>
      <HealthStrip />
      <div className={classes.columns}>
        <div className={classes.column}>
          <GoldenSignals />
          <PodsCard />
        </div>
        <div className={classes.column}>
          <FirstSteps />
          <AlertsCard />
          <BackendsCard />
          <ReleasesCard />
          <BuildsCard />
        </div>
      </div>
    </div>
  );
}
