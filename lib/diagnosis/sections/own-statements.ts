/** Words that mark what the report itself runs. */
export const ownWords = 'database-tier diagnosis';

/** Stands before each statement of the report, which keeps it out of the report. */
export const own = `/* ${ownWords} */`;
