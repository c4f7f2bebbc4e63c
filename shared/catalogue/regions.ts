/**
 * Where Vertex AI trains, where which GPU can be had, and what a region adds to the price. Data only.
 *
 * `trainingRegions`: those that `gcloud ai custom-jobs create --region` knows (SDK 528), and the two that the
 * documentation has named since, as of 2026-08.
 * @see https://cloud.google.com/vertex-ai/docs/general/locations
 *
 * GPUs and `otherRegions`: where Compute Engine has the machines or GPUs at all, 2026-08-17. Vertex AI may
 * offer less, never more.
 * @see https://github.com/Cyclenerd/google-cloud-pricing-cost-calculator (tools/machinetyperegion.csv)
 * @see https://github.com/skypilot-org/skypilot-catalog (catalogs/v8/gcp/vms.csv, for T4, P4 and V100)
 * @see https://cloud.google.com/compute/docs/gpus/gpu-regions-zones
 */

function regions(names: string): readonly string[] {
  return names.trim().split(/\s+/);
}

export const trainingRegions = regions(`
  us-central1 us-east1 us-east4 us-east5 us-south1 us-west1 us-west2 us-west3 us-west4
  europe-central2 europe-north1 europe-southwest1 europe-west1 europe-west10 europe-west12
  europe-west2 europe-west3 europe-west4 europe-west6 europe-west8 europe-west9
  africa-south1 asia-east1 asia-east2 asia-northeast1 asia-northeast2 asia-northeast3
  asia-south1 asia-south2 asia-southeast1 asia-southeast2 australia-southeast1
  australia-southeast2 me-central1 me-central2 me-west1 northamerica-northeast1
  northamerica-northeast2 southamerica-east1 southamerica-west1
`);

/** Regions of Compute Engine that are not known to train: new ones come. */
export const otherRegions = regions(`
  europe-north2 asia-southeast3 northamerica-south1
`);

/** Machines with built-in GPUs, by the first two words of their names. */
export const machineRegions: Readonly<Record<string, readonly string[]>> = {
  'a2-highgpu': regions(`
    us-central1 us-east1 us-west1 us-west3 us-west4 europe-west4 asia-northeast1
    asia-northeast3 asia-southeast1 me-west1
  `),
  'a2-megagpu': regions(`
    us-central1 europe-west4 asia-southeast1
  `),
  'a2-ultragpu': regions(`
    us-central1 us-east4 us-east5 europe-west4 asia-southeast1
  `),
  'a3-highgpu': regions(`
    us-central1 us-east4 us-east5 us-west1 us-west4 europe-north1 europe-west1 europe-west3
    europe-west4 europe-west9 asia-east1 asia-northeast1 asia-northeast3 asia-south1
    asia-south2 asia-southeast1 australia-southeast1 australia-southeast2
  `),
  'a3-megagpu': regions(`
    us-central1 us-east4 us-east5 us-west1 us-west4 europe-north1 europe-west1 europe-west3
    europe-west4 asia-east1 asia-northeast1 asia-southeast1 australia-southeast1
  `),
  'a3-ultragpu': regions(`
    us-central1 us-east4 us-east5 us-south1 us-west1 europe-west1 europe-west4 asia-south1
    asia-south2
  `),
  'a4-highgpu': regions(`
    us-central1 us-east1 us-east4 us-south1 us-west2 us-west3 europe-north1 europe-west1
    europe-west4 asia-northeast1 asia-southeast1
  `),
  'a4x-highgpu': regions(`
    us-central1 us-east1 us-east4 europe-west4
  `),
  'g2-standard': regions(`
    us-central1 us-east1 us-east4 us-west1 us-west4 europe-west1 europe-west2 europe-west3
    europe-west4 europe-west6 asia-east1 asia-northeast1 asia-northeast3 asia-south1
    asia-southeast1 me-central2 northamerica-northeast1 northamerica-northeast2
  `),
  'g4-standard': regions(`
    us-central1 us-east1 us-east4 us-east5 us-south1 us-west1 us-west3 us-west4 europe-north1
    europe-west1 europe-west10 europe-west2 europe-west4 europe-west8 asia-east1
    asia-northeast1 asia-south1 asia-south2 asia-southeast1 asia-southeast2 me-central2
  `),
};

/** GPUs that are attached to N1 machines. */
export const acceleratorRegions: Readonly<Record<string, readonly string[]>> = {
  NVIDIA_TESLA_T4: regions(`
    us-central1 us-east1 us-east4 us-west1 us-west2 us-west3 us-west4 europe-central2
    europe-west1 europe-west2 europe-west3 europe-west4 asia-east1 asia-east2 asia-northeast1
    asia-northeast3 asia-south1 asia-southeast1 asia-southeast2 australia-southeast1 me-west1
    northamerica-northeast1 southamerica-east1
  `),
  NVIDIA_TESLA_P4: regions(`
    us-central1 us-east4 us-west2 europe-west4 asia-southeast1 australia-southeast1
    northamerica-northeast1
  `),
  NVIDIA_TESLA_V100: regions(`
    us-central1 us-east1 us-west1 europe-west4 asia-east1
  `),
};

/**
 * The most by which a machine or GPU of the catalogue costs more there than in us-central1, as of the
 * catalogue's prices. Families differ: what is estimated for a region is an upper bound.
 */
export const regionPriceFactors: Readonly<Record<string, number>> = {
  'us-central1': 1,
  'us-east1': 1,
  'us-east4': 1.135,
  'us-east5': 1.127,
  'us-south1': 1.18,
  'us-west1': 1,
  'us-west2': 1.203,
  'us-west3': 1.203,
  'us-west4': 1.129,
  'europe-central2': 1.288,
  'europe-north1': 1.102,
  'europe-north2': 1.05,
  'europe-southwest1': 1.181,
  'europe-west1': 1.103,
  'europe-west10': 1.54,
  'europe-west12': 1.29,
  'europe-west2': 1.289,
  'europe-west3': 1.289,
  'europe-west4': 1.272,
  'europe-west6': 1.399,
  'europe-west8': 1.2,
  'europe-west9': 1.161,
  'africa-south1': 1.308,
  'asia-east1': 1.3,
  'asia-east2': 1.4,
  'asia-northeast1': 1.432,
  'asia-northeast2': 1.285,
  'asia-northeast3': 1.285,
  'asia-south1': 1.3,
  'asia-south2': 1.3,
  'asia-southeast1': 1.292,
  'asia-southeast2': 1.345,
  'asia-southeast3': 1.051,
  'australia-southeast1': 1.419,
  'australia-southeast2': 1.42,
  'me-central1': 1.215,
  'me-central2': 1.6,
  'me-west1': 1.1,
  'northamerica-northeast1': 1.102,
  'northamerica-northeast2': 1.102,
  'northamerica-south1': 1.09,
  'southamerica-east1': 1.588,
  'southamerica-west1': 1.43,
};

/** For a region that is not listed: the dearest of all. */
export const unknownRegionPriceFactor = 1.6;
