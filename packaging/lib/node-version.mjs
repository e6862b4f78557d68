const OLDEST = [20, 18];

/** What is wrong with the version of Node.js, or ''. */
export function nodeSentence(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return '';
  return `RingMQ needs Node.js ${OLDEST.join('.')} or newer; this is ${version}. Newer ones are at https://nodejs.org, or come with a version manager such as nvm.`;
}
