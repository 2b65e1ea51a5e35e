import { describeContract } from './describe-contract.ts';
import { nativeEngine } from './engines.ts';

describeContract(nativeEngine, 'compressed');
